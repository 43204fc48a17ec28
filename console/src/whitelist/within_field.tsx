// How long something waits for its confirmation before what was there comes back.

import type {JSX} from "preact";
import {within as strings} from "../strings.ts";
import {SelectField} from "../ui/field.tsx";

/** A duration as the methods take it. */
export type Within = keyof typeof strings.spans;

export const FOR_GOOD: Within = "0s";
export const USUAL: Within = "600s";

const OPTIONS = (Object.keys(strings.spans) as Within[]).map(value => ({value, text: strings.spans[value]}));

export function WithinField({hint, value, onValue}: {hint: string; value: Within; onValue: (value: Within) => void}): JSX.Element {
    return <SelectField label={strings.label} hint={hint} value={value} onValue={onValue} options={OPTIONS} />;
}
