// A company's name and policy as the form has them, and back into an update that names only what was typed.

import type {Company, LeakAction, ReuseAction, UpdateCompanyRequest} from "../../gen/api.ts";
import {changedFields} from "../form/merge.ts";
import {durationOfSpan, spanOf, type Span} from "../time/span.ts";

export interface CompanyForm extends Record<string, unknown> {
    name: string;
    maxTokenLifetime: Span;
    requireExpiry: boolean;
    deactivateUnusedAfter: Span;
    leakAction: LeakAction;
    reuseAction: ReuseAction;
    loginLifetime: Span;
}

export const SPAN_FIELDS = ["maxTokenLifetime", "deactivateUnusedAfter", "loginLifetime"] as const;

const MASK: Record<string, string> = {
    name: "name",
    maxTokenLifetime: "policy.maxTokenLifetime",
    requireExpiry: "policy.requireExpiry",
    deactivateUnusedAfter: "policy.deactivateUnusedAfter",
    leakAction: "policy.leakAction",
    reuseAction: "policy.reuseAction",
    loginLifetime: "policy.loginLifetime",
};

/** Where an enum is unset the server takes these. */
export function formOf({name = "", policy = {}}: Company): CompanyForm {
    return {
        name,
        maxTokenLifetime: spanOf(policy.maxTokenLifetime, "days"),
        requireExpiry: policy.requireExpiry ?? false,
        deactivateUnusedAfter: spanOf(policy.deactivateUnusedAfter, "days"),
        leakAction: policy.leakAction ?? "LEAK_ACTION_DEACTIVATE",
        reuseAction: policy.reuseAction ?? "REUSE_ACTION_AUDIT",
        loginLifetime: spanOf(policy.loginLifetime, "hours"),
    };
}

export const badSpans = (form: CompanyForm): string[] => SPAN_FIELDS.filter(name => durationOfSpan(form[name]) === undefined);

/** Undefined: nothing was changed. */
export function updateOf(company: Company, base: CompanyForm, form: CompanyForm): UpdateCompanyRequest | undefined {
    const mask = changedFields(base, form).flatMap(name => MASK[name] ?? []);
    if (mask.length === 0) return undefined;
    const spans = Object.fromEntries(SPAN_FIELDS.flatMap(name => {
        const duration = durationOfSpan(form[name]);
        return duration ? [[name, duration]] : [];
    }));
    const policy = {...spans, requireExpiry: form.requireExpiry, leakAction: form.leakAction, reuseAction: form.reuseAction};
    return {
        company: {companyId: company.companyId ?? "", name: form.name.trim(), policy, etag: company.etag ?? ""},
        updateMask: mask.join(","),
    };
}
