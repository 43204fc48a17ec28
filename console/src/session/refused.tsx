// Why somebody was not let in, which address was seen, and whom to ask.

import type {JSX} from "preact";
import {signIn} from "../strings.ts";
import {Note} from "../ui/note.tsx";

export function Refused({reason, address}: {reason: string; address: string}): JSX.Element {
    return (
        <Note tone="danger" alert>
            <p><strong>{signIn.refusedTitle}</strong> {signIn.refusals[reason] ?? signIn.refusedOther}</p>
            {address !== "" && <p>{signIn.yourAddress(address)}</p>}
        </Note>
    );
}

export function isRefusal(reason: string): boolean {
    return reason in signIn.refusals;
}
