// A span as a form has it, a number and its unit, beside protobuf's duration.

import {durationMs, durationOfSeconds} from "./duration.ts";

export const SPAN_UNITS = ["minutes", "hours", "days"] as const;
export type SpanUnit = (typeof SPAN_UNITS)[number];

export interface Span {
    /** As typed; blank: none. */
    amount: string;
    unit: SpanUnit;
}

const SECONDS: Record<SpanUnit, number> = {minutes: 60, hours: 3600, days: 86_400};

/** In the largest unit that leaves nothing over; `unit` where there is none. */
export function spanOf(duration: string | undefined, unit: SpanUnit): Span {
    const seconds = (durationMs(duration) ?? 0) / 1000;
    if (seconds === 0) return {amount: "", unit};
    const fitting = [...SPAN_UNITS].reverse().find(each => seconds % SECONDS[each] === 0) ?? "minutes";
    return {amount: String(seconds / SECONDS[fitting]), unit: fitting};
}

/** Blank is none (""); undefined: it is no number above 0, with at most three decimals. */
export function durationOfSpan({amount, unit}: Span): string | undefined {
    const text = amount.trim();
    if (text === "") return "";
    if (!/^\d{1,9}(\.\d{1,3})?$/.test(text) || Number(text) === 0) return undefined;
    return durationOfSeconds(Math.round(Number(text) * SECONDS[unit] * 1000) / 1000);
}
