import type {JSX} from "preact";
import {company as strings} from "../strings.ts";
import {Field} from "../ui/field.tsx";
import {SPAN_UNITS, type Span, type SpanUnit} from "../time/span.ts";

interface SpanFieldProps {
    label: string;
    hint: string;
    error: string | undefined;
    value: Span;
    onValue: (span: Span) => void;
}

/** A number and its unit. */
export function SpanField({label, hint, error, value, onValue}: SpanFieldProps): JSX.Element {
    return (
        <Field label={label} hint={hint} error={error}>
            {control => (
                <div class="span">
                    <input type="text" inputMode="decimal" autocomplete="off" {...control} value={value.amount}
                        onInput={event => onValue({...value, amount: event.currentTarget.value})} />
                    <select aria-label={strings.unit(label)} value={value.unit} onChange={event => onValue({...value, unit: event.currentTarget.value as SpanUnit})}>
                        {SPAN_UNITS.map(unit => <option key={unit} value={unit}>{strings.units[unit]}</option>)}
                    </select>
                </div>
            )}
        </Field>
    );
}
