import type {JSX} from "preact";
import type {WhitelistWarning} from "../../gen/api.ts";
import {entries as strings} from "../strings.ts";
import {Note} from "../ui/note.tsx";

const SHOWN_MAX = 10;

/** What is odd about entries that were added all the same. */
export function Warnings({warnings}: {warnings: readonly WhitelistWarning[]}): JSX.Element | null {
    if (warnings.length === 0) return null;
    return (
        <Note tone="warn" alert>
            <p><strong>{strings.warnings}</strong></p>
            <ul>{warnings.slice(0, SHOWN_MAX).map(({detail}, index) => <li key={index}>{detail}</li>)}</ul>
            {warnings.length > SHOWN_MAX && <p>{strings.moreBad(warnings.length - SHOWN_MAX)}</p>}
        </Note>
    );
}
