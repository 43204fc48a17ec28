// What the form of a new access token holds, what is wrong with it, and the request that it stands for.

import type {CreateAccessTokenRequest} from "../../gen/api.ts";
import {judgeRange} from "../ip/judge.ts";
import {newToken} from "../strings.ts";
import {durationOfSeconds} from "../time/duration.ts";
import {badLines, splitLines} from "../ui/lines.ts";
import {judgeDomain} from "./domain.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
export const UNIT_SECONDS = {hours: HOUR_S, days: DAY_S, weeks: 7 * DAY_S, months: 30 * DAY_S, years: 365 * DAY_S} as const;
export type Unit = keyof typeof UNIT_SECONDS;

export interface NewTokenForm {
    label: string;
    permissions: string[];
    isForApi: boolean;
    isForUi: boolean;
    expiresIn: string;
    unit: Unit;
    domains: string;
    ips: string;
    isCompanyOwned: boolean;
}

export const EMPTY_FORM: NewTokenForm = {
    label: "", permissions: [], isForApi: true, isForUi: false, expiresIn: "", unit: "days", domains: "", ips: "", isCompanyOwned: false,
};

/** By the field of the request that it is about. */
export type FormProblems = Partial<Record<"label" | "channels" | "expireIn" | "allowedDomains" | "allowedIps", string>>;

export function problemsOf(form: NewTokenForm): FormProblems {
    const problems: FormProblems = {};
    if (form.label.trim() === "") problems.label = newToken.labelMissing;
    if (!form.isForApi && !form.isForUi) problems.channels = newToken.channelMissing;
    if (!/^([1-9]\d{0,5})?$/.test(form.expiresIn.trim())) problems.expireIn = newToken.expiresBad;
    // The field itself names the lines.
    if (badLines(form.ips, judgeRange).length > 0) problems.allowedIps = "";
    if (form.isForUi && badLines(form.domains, judgeDomain).length > 0) problems.allowedDomains = "";
    return problems;
}

export function requestOf(form: NewTokenForm): CreateAccessTokenRequest {
    const expiresIn = Number(form.expiresIn.trim());
    return {
        label: form.label.trim(),
        permissions: form.permissions,
        channels: [...form.isForApi ? ["CHANNEL_API" as const] : [], ...form.isForUi ? ["CHANNEL_UI" as const] : []],
        ...(expiresIn > 0 && {expireIn: durationOfSeconds(expiresIn * UNIT_SECONDS[form.unit])}),
        ...(form.isForUi && {allowedDomains: splitLines(form.domains)}),
        allowedIps: splitLines(form.ips),
        companyOwned: form.isCompanyOwned,
    };
}
