// *Create new*: the form, and after it the secret, this once.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {CreateAccessTokenResponse} from "../../gen/api.ts";
import {navigate} from "../app/router.tsx";
import {PermissionChoice} from "../permission/choice.tsx";
import type {RpcError} from "../rpc/rpc_error.ts";
import {useChange} from "../rpc/use_change.ts";
import {common, newToken} from "../strings.ts";
import {judgeDomain} from "../token/domain.ts";
import {EMPTY_FORM, problemsOf, requestOf, UNIT_SECONDS, type FormProblems, type NewTokenForm, type Unit} from "../token/new_token_form.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {CheckField, SelectField, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {IpListField} from "../ui/ip_list_field.tsx";
import {LinesField} from "../ui/lines_field.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";
import {Secret} from "../ui/secret.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";

const OWN_FIELDS = ["label", "permissions", "channels", "expireIn", "allowedDomains", "allowedIps"];
const UNITS = (Object.keys(UNIT_SECONDS) as Unit[]).map(value => ({value, text: newToken.units[value]}));

export default function NewToken(): JSX.Element {
    const [made, setMade] = useState<CreateAccessTokenResponse | null>(null);
    return made
        ? <Page key="made" title={newToken.made(made.accessToken?.label ?? "")}><Made made={made} /></Page>
        : <Page key="form" title={newToken.title} lead={newToken.lead}><Create onMade={setMade} /></Page>;
}

function Made({made: {accessToken, secret = ""}}: {made: CreateAccessTokenResponse}): JSX.Element {
    const path = `/tokens/${accessToken?.tokenId}`;
    useUnsaved(secret !== "");
    if (secret !== "") return <Secret secret={secret} onSaved={() => navigate(path, {replace: true})} />;
    return (
        <Note tone="warn" alert>
            <p><strong>{newToken.withheldTitle}</strong> {newToken.withheld}</p>
            <ButtonLink href={path}>{newToken.toToken}</ButtonLink>
        </Note>
    );
}

function Create({onMade}: {onMade: (made: CreateAccessTokenResponse) => void}): JSX.Element {
    const [form, setForm] = useState(EMPTY_FORM);
    const [problems, setProblems] = useState<FormProblems>({});
    const {busy, error, run} = useChange("TokenService", "CreateAccessToken");
    useUnsaved(form !== EMPTY_FORM);
    async function submit(): Promise<void> {
        const found = problemsOf(form);
        setProblems(found);
        if (Object.keys(found).length > 0) return;
        const made = await run(requestOf(form));
        if (made) onMade(made);
    }
    const actions = (
        <>
            <Button kind="primary" type="submit" busy={busy}>{newToken.create}</Button>
            <ButtonLink href="/tokens">{common.cancel}</ButtonLink>
        </>
    );
    return (
        <Form onSubmit={submit} error={error} ownFields={OWN_FIELDS} actions={actions}>
            <Fields form={form} problems={problems} error={error} onForm={change => setForm({...form, ...change})} />
        </Form>
    );
}

interface FieldsProps {
    form: NewTokenForm;
    problems: FormProblems;
    error: RpcError | undefined;
    onForm: (change: Partial<NewTokenForm>) => void;
}

function Fields({form, problems, error, onForm}: FieldsProps): JSX.Element {
    const said = (field: keyof FormProblems): string | undefined => problems[field] || error?.violationOf(field);
    return (
        <>
            <TextField label={newToken.label} hint={newToken.labelHint} required maxLength={100} autocomplete="off" value={form.label}
                error={said("label")} onValue={label => onForm({label})} />
            <PermissionChoice chosen={form.permissions} error={error?.violationOf("permissions")} onChosen={permissions => onForm({permissions})} />
            <fieldset>
                <legend>{newToken.where}</legend>
                <CheckField label={newToken.api} checked={form.isForApi} onChecked={isForApi => onForm({isForApi})} />
                <CheckField label={newToken.ui} checked={form.isForUi} onChecked={isForUi => onForm({isForUi})} />
                {said("channels") && <p class="field-error" role="alert">{said("channels")}</p>}
            </fieldset>
            <div class="row">
                <TextField label={newToken.expiresIn} hint={newToken.expiresHint} autocomplete="off" value={form.expiresIn}
                    error={said("expireIn")} onValue={expiresIn => onForm({expiresIn})} />
                <SelectField label={newToken.unit} value={form.unit} options={UNITS} onValue={unit => onForm({unit})} />
            </div>
            {form.isForUi && <LinesField label={newToken.domains} hint={newToken.domainsHint} value={form.domains} judge={judgeDomain}
                error={said("allowedDomains")} onValue={domains => onForm({domains})} />}
            <IpListField label={newToken.ips} hint={newToken.ipsHint} value={form.ips} error={said("allowedIps")} onValue={ips => onForm({ips})} />
            <CheckField label={newToken.companyOwned} hint={newToken.companyOwnedHint} checked={form.isCompanyOwned}
                onChecked={isCompanyOwned => onForm({isCompanyOwned})} />
        </>
    );
}
