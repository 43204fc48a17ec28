// What may be changed about an access token. What somebody else changed meanwhile is shown, and nothing typed is lost.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {ClashNote, isStale} from "../form/clash_note.tsx";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {useEdited} from "../form/use_edited.ts";
import {PermissionChoice} from "../permission/choice.tsx";
import {call} from "../rpc/call.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {useChange} from "../rpc/use_change.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {common, newToken, token as text} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {IpListField} from "../ui/ip_list_field.tsx";
import {LinesField} from "../ui/lines_field.tsx";
import {judgeDomain} from "./domain.ts";
import {editFormOf, updateOf, type EditForm} from "./edit_form.ts";

const LABELS: Record<string, string> = {
    label: newToken.label, description: text.description, permissions: newToken.permissions, expiresAt: text.expires,
    allowedDomains: newToken.domains, allowedIps: newToken.ips,
};
const OWN_FIELDS = Object.keys(LABELS).map(field => `accessToken.${field}`);

function asText(_: string, value: unknown): string {
    return Array.isArray(value) ? value.join(", ") : String(value).replaceAll("\n", ", ");
}

interface EditTokenProps {
    token: AccessToken;
    onSaved: () => void;
}

export function EditToken({token: loaded, onSaved}: EditTokenProps): JSX.Element {
    const [token, setToken] = useState(loaded);
    const edited = useEdited<EditForm>(editFormOf(loaded));
    const update = useChange("TokenService", "UpdateAccessToken");
    const [loadError, setLoadError] = useState<RpcError | undefined>(undefined);
    const back = `/tokens/${token.tokenId}`;
    async function save(force: boolean): Promise<void> {
        const request = updateOf(token, edited.base, edited.form);
        if (!request || await update.run({...request, force})) onSaved();
    }
    async function loadAnew(): Promise<void> {
        const answer = await call("TokenService", "GetAccessToken", {tokenId: token.tokenId ?? ""}).catch(asRpcError);
        setLoadError(answer instanceof Error ? answer : undefined);
        if (answer instanceof Error || !answer.accessToken) return;
        setToken(answer.accessToken);
        edited.rebase(editFormOf(answer.accessToken));
        update.reset();
    }
    const problem = isStale(update.error) || isLockOut(update.error) ? loadError : update.error;
    const actions = (
        <>
            <Button kind="primary" type="submit" busy={update.busy}>{text.save}</Button>
            <ButtonLink href={back}>{common.cancel}</ButtonLink>
        </>
    );
    return (
        <Form onSubmit={() => save(false)} error={problem} ownFields={OWN_FIELDS} actions={actions}>
            <ClashNote error={update.error} clashes={edited.clashes} labelOf={field => LABELS[field] ?? field} textOf={asText} onLoad={loadAnew} />
            {update.error && isLockOut(update.error) && <LockOut error={update.error} busy={update.busy} onForce={() => save(true)} />}
            <EditFields form={edited.form} isForUi={token.channels?.includes("CHANNEL_UI") ?? false} error={problem} onForm={edited.set} />
        </Form>
    );
}

interface EditFieldsProps {
    form: EditForm;
    isForUi: boolean;
    error: RpcError | undefined;
    onForm: (change: Partial<EditForm>) => void;
}

function EditFields({form, isForUi, error, onForm}: EditFieldsProps): JSX.Element {
    const said = (field: keyof EditForm): string | undefined => error?.violationOf(`accessToken.${field}`);
    return (
        <>
            <TextField label={newToken.label} required maxLength={100} autocomplete="off" value={form.label} error={said("label")}
                onValue={label => onForm({label})} />
            <TextField label={text.description} maxLength={500} autocomplete="off" value={form.description} error={said("description")}
                onValue={description => onForm({description})} />
            <PermissionChoice chosen={form.permissions} error={said("permissions")} onChosen={permissions => onForm({permissions})} />
            <TextField label={text.expires} hint={text.expiresHint} type="datetime-local" value={form.expiresAt} error={said("expiresAt")}
                onValue={expiresAt => onForm({expiresAt})} />
            {isForUi && <LinesField label={newToken.domains} hint={newToken.domainsHint} value={form.allowedDomains} judge={judgeDomain}
                error={said("allowedDomains")} onValue={allowedDomains => onForm({allowedDomains})} />}
            <IpListField label={newToken.ips} hint={newToken.ipsHint} value={form.allowedIps} error={said("allowedIps")}
                onValue={allowedIps => onForm({allowedIps})} />
        </>
    );
}
