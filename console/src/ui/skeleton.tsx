import type {JSX} from "preact";
import {common} from "../strings.ts";

export function Skeleton({rows = 5}: {rows?: number}): JSX.Element {
    return (
        <div class="skeleton" role="status" aria-busy="true">
            <span class="unseen">{common.loading}</span>
            {Array.from({length: rows}, (_, i) => <div key={i} class="bone" aria-hidden="true" />)}
        </div>
    );
}
