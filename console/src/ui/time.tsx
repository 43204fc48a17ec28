import type {JSX} from "preact";
import {localTime, utcTime} from "../time/format.ts";

/** In the viewer's zone, with UTC on hover; `never` where there is none. */
export function Time({at, never = ""}: {at: string | undefined; never?: string}): JSX.Element {
    if (!at) return <span class="quiet">{never}</span>;
    return <time dateTime={at} title={utcTime(at)}>{localTime(at)}</time>;
}
