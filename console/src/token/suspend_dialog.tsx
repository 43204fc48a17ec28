import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {common, token as text} from "../strings.ts";
import {fromLocalInput} from "../time/local_input.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";

interface SuspendDialogProps {
    token: AccessToken;
    onClose: () => void;
    onSuspended: () => void;
}

export function SuspendDialog({token: {tokenId = ""}, onClose, onSuspended}: SuspendDialogProps): JSX.Element {
    const [until, setUntil] = useState("");
    const [note, setNote] = useState("");
    const [isPast, setPast] = useState(false);
    const {busy, error, run} = useChange("TokenService", "SuspendAccessToken");
    async function suspend(): Promise<void> {
        const past = until !== "" && Date.parse(until) <= Date.now();
        setPast(past);
        if (past) return;
        const suspended = await run({tokenId, note: note.trim(), ...(until !== "" && {until: fromLocalInput(until)})});
        if (suspended) onSuspended();
    }
    const actions = (
        <>
            <Button kind="primary" type="submit" busy={busy}>{text.suspend}</Button>
            <Button onClick={onClose}>{common.cancel}</Button>
        </>
    );
    return (
        <Dialog title={text.suspendTitle} onClose={onClose}>
            <Form onSubmit={suspend} error={error} ownFields={["until", "note"]} actions={actions}>
                <TextField label={text.until} hint={text.untilHint} type="datetime-local" value={until} onValue={setUntil}
                    error={isPast ? text.untilPast : error?.violationOf("until")} />
                <TextField label={text.note} hint={text.noteHint} maxLength={500} value={note} onValue={setNote} error={error?.violationOf("note")} />
            </Form>
        </Dialog>
    );
}
