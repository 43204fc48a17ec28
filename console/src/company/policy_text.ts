import {company as strings} from "../strings.ts";
import type {Span} from "../time/span.ts";

const words: Record<string, string> = {...strings.leakActions, ...strings.reuseActions};

/** A field of the form as a clash shows it, and as who may not change it reads it. */
export function textOf(_field: string, value: unknown): string {
    if (typeof value === "boolean") return value ? strings.yes : strings.no;
    if (typeof value === "string") return words[value] ?? value;
    const {amount, unit} = value as Span;
    return amount === "" ? strings.none : `${amount} ${strings.units[unit]}`;
}
