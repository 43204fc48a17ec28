// A labelled control, with a hint and what is wrong with it, both of which are tied to it for who does not see them.

import type {ComponentChildren, JSX} from "preact";
import {useId} from "preact/hooks";
import {common} from "../strings.ts";

export interface ControlProps {
    id: string;
    "aria-describedby"?: string;
    "aria-invalid"?: "true";
    required?: boolean;
}

interface FieldProps {
    label: string;
    hint?: ComponentChildren;
    error?: string | undefined;
    required?: boolean;
    children: (control: ControlProps) => JSX.Element;
}

export function Field({label, hint, error, required = false, children}: FieldProps): JSX.Element {
    const id = useId();
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
    const control: ControlProps = {
        id,
        ...(described && {"aria-describedby": described}),
        ...(error && {"aria-invalid": "true"}),
        ...(required && {required}),
    };
    return (
        <div class="field">
            <label for={id}>{label}{required && <span class="required" aria-hidden="true"> {common.required}</span>}</label>
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
            {children(control)}
            {error && <p class="field-error" id={`${id}-error`}>{error}</p>}
        </div>
    );
}

interface TextFieldProps extends Omit<FieldProps, "children"> {
    value: string;
    onValue: (value: string) => void;
    type?: "text" | "email" | "search" | "number" | "datetime-local";
    autocomplete?: "email" | "name" | "off";
    spellcheck?: boolean;
    maxLength?: number;
    min?: string;
    max?: string;
    placeholder?: string;
}

export function TextField({label, hint, error, required, value, onValue, type = "text", ...rest}: TextFieldProps): JSX.Element {
    // why: the types of Preact judge each input type alone, and know no union of them.
    const kind = type as "text";
    return (
        <Field label={label} hint={hint} error={error} required={required ?? false}>
            {control => <input {...rest} {...control} type={kind} value={value} onInput={event => onValue(event.currentTarget.value)} />}
        </Field>
    );
}

interface AreaFieldProps extends Omit<FieldProps, "children"> {
    value: string;
    onValue: (value: string) => void;
    rows?: number;
    maxLength?: number;
    spellcheck?: boolean;
    readOnly?: boolean;
}

export function AreaField({label, hint, error, required, value, onValue, ...rest}: AreaFieldProps): JSX.Element {
    return (
        <Field label={label} hint={hint} error={error} required={required ?? false}>
            {control => <textarea rows={4} {...rest} {...control} value={value} onInput={event => onValue(event.currentTarget.value)} />}
        </Field>
    );
}

interface SelectFieldProps<T extends string> extends Omit<FieldProps, "children"> {
    value: T;
    onValue: (value: T) => void;
    options: readonly {value: T; text: string}[];
}

export function SelectField<T extends string>({label, hint, error, required, value, onValue, options}: SelectFieldProps<T>): JSX.Element {
    return (
        <Field label={label} hint={hint} error={error} required={required ?? false}>
            {control => (
                <select {...control} value={value} onChange={event => onValue(event.currentTarget.value as T)}>
                    {options.map(option => <option key={option.value} value={option.value}>{option.text}</option>)}
                </select>
            )}
        </Field>
    );
}

interface CheckFieldProps {
    label: ComponentChildren;
    hint?: ComponentChildren;
    checked: boolean;
    disabled?: boolean;
    onChecked: (checked: boolean) => void;
}

export function CheckField({label, hint, checked, disabled = false, onChecked}: CheckFieldProps): JSX.Element {
    const id = useId();
    return (
        <div class="check">
            <input type="checkbox" id={id} checked={checked} disabled={disabled} {...(hint && {"aria-describedby": `${id}-hint`})}
                onChange={event => onChecked(event.currentTarget.checked)} />
            <label for={id}>{label}</label>
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
        </div>
    );
}
