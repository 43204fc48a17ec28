// The company's name and policy.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Company, LeakAction, ReuseAction} from "../../gen/api.ts";
import {AmendForm} from "../form/amend_form.tsx";
import {useAmendment} from "../form/use_amendment.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {company as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {CheckField, SelectField, TextField} from "../ui/field.tsx";
import {badSpans, formOf, SPAN_FIELDS, updateOf} from "./policy.ts";
import {LABELS, textOf} from "./policy_text.ts";
import {SpanField} from "./span_field.tsx";

const LEAKS = (["LEAK_ACTION_DEACTIVATE", "LEAK_ACTION_SUSPEND", "LEAK_ACTION_NOTIFY"] as const)
    .map(value => ({value, text: strings.leakActions[value]}));
const REUSES = (["REUSE_ACTION_AUDIT", "REUSE_ACTION_DEACTIVATE"] as const).map(value => ({value, text: strings.reuseActions[value]}));
const HINTS: Record<(typeof SPAN_FIELDS)[number], string> = {
    maxTokenLifetime: strings.maxTokenLifetimeHint,
    deactivateUnusedAfter: strings.deactivateUnusedAfterHint,
    loginLifetime: strings.loginLifetimeHint,
};

export function PolicyForm({company}: {company: Company}): JSX.Element {
    const [bad, setBad] = useState<string[]>([]);
    const update = useChange("CompanyService", "UpdateCompany");
    const amendment = useAmendment({
        object: company, formOf, updateOf, update,
        send: async request => (await update.run(request))?.company,
        load: async () => (await call("CompanyService", "GetCompany", {companyId: company.companyId ?? ""})).company,
        onSaved: () => announce(strings.saved),
    });
    const {form, set, error, busy} = amendment;
    async function save(force?: boolean): Promise<void> {
        const wrong = badSpans(form);
        setBad(wrong);
        if (wrong.length === 0) await amendment.save(force);
    }
    const spanField = (name: (typeof SPAN_FIELDS)[number]): JSX.Element => (
        <SpanField label={strings[name]} hint={HINTS[name]} value={form[name]} onValue={span => set({[name]: span})}
            error={bad.includes(name) ? strings.badSpan : error?.violationOf(`company.policy.${name}`)} />
    );
    return (
        <AmendForm of={{...amendment, save}} labels={LABELS} textOf={textOf} path="company.policy"
            actions={<Button kind="primary" type="submit" busy={busy}>{strings.save}</Button>}>
            <TextField label={strings.name} required maxLength={100} value={form.name} onValue={name => set({name})}
                error={error?.violationOf("company.name")} />
            {spanField("maxTokenLifetime")}
            <CheckField label={strings.requireExpiry} checked={form.requireExpiry} onChecked={requireExpiry => set({requireExpiry})} />
            {spanField("deactivateUnusedAfter")}
            {spanField("loginLifetime")}
            <SelectField<LeakAction> label={strings.leakAction} value={form.leakAction} onValue={leakAction => set({leakAction})} options={LEAKS} />
            <SelectField<ReuseAction> label={strings.reuseAction} value={form.reuseAction} onValue={reuseAction => set({reuseAction})}
                options={REUSES} />
        </AmendForm>
    );
}
