import type {JSX} from "preact";
import {common} from "../strings.ts";

/** Whose pages these are, where it leads nowhere. */
export function Brand(): JSX.Element {
    return <p class="brand"><Mark /></p>;
}

export function Mark(): JSX.Element {
    return <><img src="/icon.svg" alt="" width="28" height="28" /> {common.product}</>;
}
