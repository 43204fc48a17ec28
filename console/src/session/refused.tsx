import type {JSX} from "preact";
import {signIn} from "../strings.ts";
import {Note} from "../ui/note.tsx";
import {readRefusal} from "./refusal.ts";

/** Why somebody was not let in, which address was seen, and whom to ask. */
export function Refused({reason, address}: {reason: string; address: string}): JSX.Element {
    const refusal = readRefusal(reason, address);
    return (
        <Note tone="danger" alert>
            <p><strong>{signIn.refusedTitle}</strong> {refusal.text}</p>
            {refusal.address !== "" && <p>{signIn.yourAddress(refusal.address)}</p>}
        </Note>
    );
}
