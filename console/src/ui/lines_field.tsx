// A list that is typed or pasted, one entry a line: addresses, domains. Each line is judged while one types; the server has the last word.

import type {ComponentChildren, JSX} from "preact";
import {common} from "../strings.ts";
import {AreaField} from "./field.tsx";
import {badLines, type Judge} from "./lines.ts";

interface LinesFieldProps {
    label: string;
    hint?: ComponentChildren;
    error?: string | undefined;
    value: string;
    onValue: (value: string) => void;
    judge: Judge;
}

const NAMED_MAX = 5;

export function LinesField({label, hint, error, value, onValue, judge}: LinesFieldProps): JSX.Element {
    const bad = badLines(value, judge);
    const own = bad.slice(0, NAMED_MAX).map(({line, text, why}) => common.badLine(line, text, why)).join(" ");
    return <AreaField label={label} hint={hint} error={error ?? (own || undefined)} value={value} onValue={onValue} spellcheck={false} />;
}
