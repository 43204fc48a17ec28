// The company's name and policy.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Company, LeakAction, ReuseAction} from "../../gen/api.ts";
import {ClashNote, isStale} from "../form/clash_note.tsx";
import {useEdited} from "../form/use_edited.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {company as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {CheckField, SelectField, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {badSpans, formOf, SPAN_FIELDS, updateOf, type CompanyForm} from "./policy.ts";
import {SpanField} from "./span_field.tsx";
import {textOf} from "./policy_text.ts";

const LEAKS = (["LEAK_ACTION_DEACTIVATE", "LEAK_ACTION_SUSPEND", "LEAK_ACTION_NOTIFY"] as const).map(value => ({value, text: strings.leakActions[value]}));
const REUSES = (["REUSE_ACTION_AUDIT", "REUSE_ACTION_DEACTIVATE"] as const).map(value => ({value, text: strings.reuseActions[value]}));
const HINTS: Record<(typeof SPAN_FIELDS)[number], string> = {
    maxTokenLifetime: strings.maxTokenLifetimeHint, deactivateUnusedAfter: strings.deactivateUnusedAfterHint, loginLifetime: strings.loginLifetimeHint,
};

export function PolicyForm({company: loaded}: {company: Company}): JSX.Element {
    const [company, setCompany] = useState(loaded);
    const [bad, setBad] = useState<string[]>([]);
    const edited = useEdited<CompanyForm>(formOf(loaded));
    const update = useChange("CompanyService", "UpdateCompany");
    const {form, set} = edited;
    const problem = isStale(update.error) ? undefined : update.error;

    async function save(): Promise<void> {
        const wrong = badSpans(form);
        setBad(wrong);
        if (wrong.length > 0) return;
        const request = updateOf(company, edited.base, form);
        if (!request) return announce(strings.nothing);
        const answer = await update.run(request);
        if (!answer?.company) return;
        setCompany(answer.company);
        edited.settle(formOf(answer.company));
        announce(strings.saved);
    }
    async function loadAnew(): Promise<void> {
        const answer = await call("CompanyService", "GetCompany", {companyId: company.companyId ?? ""}).catch(asRpcError);
        if (!("company" in answer) || !answer.company) return;
        setCompany(answer.company);
        edited.rebase(formOf(answer.company));
        update.reset();
    }
    const spanField = (name: (typeof SPAN_FIELDS)[number]): JSX.Element => (
        <SpanField label={strings[name]} hint={HINTS[name]} value={form[name]} onValue={span => set({[name]: span})}
            error={bad.includes(name) ? strings.badSpan : problem?.violationOf(`company.policy.${name}`)} />
    );
    return (
        <Form onSubmit={save} error={problem} actions={<Button kind="primary" type="submit" busy={update.busy}>{strings.save}</Button>}>
            <ClashNote error={update.error} clashes={edited.clashes} labelOf={field => String(strings[field as keyof typeof strings] ?? field)} textOf={textOf}
                onLoad={loadAnew} />
            <TextField label={strings.name} required maxLength={100} value={form.name} onValue={name => set({name})} error={problem?.violationOf("company.name")} />
            {spanField("maxTokenLifetime")}
            <CheckField label={strings.requireExpiry} checked={form.requireExpiry} onChecked={requireExpiry => set({requireExpiry})} />
            {spanField("deactivateUnusedAfter")}
            {spanField("loginLifetime")}
            <SelectField<LeakAction> label={strings.leakAction} value={form.leakAction} onValue={leakAction => set({leakAction})} options={LEAKS} />
            <SelectField<ReuseAction> label={strings.reuseAction} value={form.reuseAction} onValue={reuseAction => set({reuseAction})} options={REUSES} />
        </Form>
    );
}
