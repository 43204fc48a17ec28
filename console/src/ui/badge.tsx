import type {JSX} from "preact";

export type Tone = "good" | "warn" | "bad" | "calm";

/** A state in a word; the tone only repeats in colour what the word says. */
export function Badge({tone, children}: {tone: Tone; children: string}): JSX.Element {
    return <span class={`badge ${tone}`}>{children}</span>;
}
