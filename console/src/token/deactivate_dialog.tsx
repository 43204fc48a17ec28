// Deactivation is for good, so its label is typed first; the answer waits until the validators know.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken, DeactivateReason, Validators} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {common, token as text} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";
import {confirms} from "./confirm.ts";

export const WAIT = "10s";
export const REASONS = Object.entries(text.reasons).map(([value, said]) => ({value: value as DeactivateReason, text: said}));

function sayDone(validators: Validators | undefined): string {
    if (!validators) return text.deactivatedPlain;
    return validators.allConfirmed ? text.deactivatedEverywhere : text.deactivatedSoon(validators.confirmed ?? 0, validators.live ?? 0);
}

interface DeactivateDialogProps {
    token: AccessToken;
    onClose: () => void;
    onDeactivated: (said: string) => void;
}

export function DeactivateDialog({token: {tokenId = "", label = ""}, onClose, onDeactivated}: DeactivateDialogProps): JSX.Element {
    const [reason, setReason] = useState<DeactivateReason>("DEACTIVATE_REASON_UNUSED");
    const [note, setNote] = useState("");
    const [typed, setTyped] = useState("");
    const [isWrong, setWrong] = useState(false);
    const {busy, error, run} = useChange("TokenService", "DeactivateAccessToken");
    async function deactivate(): Promise<void> {
        setWrong(!confirms(typed, label));
        if (!confirms(typed, label)) return;
        const done = await run({tokenId, reason, note: note.trim(), waitForValidators: WAIT});
        if (done) onDeactivated(sayDone(done.validators));
    }
    const actions = (
        <>
            <Button kind="danger" type="submit" busy={busy}>{text.deactivateNow}</Button>
            <Button onClick={onClose}>{common.cancel}</Button>
        </>
    );
    return (
        <Dialog title={text.deactivateTitle} onClose={onClose}>
            <Form onSubmit={deactivate} error={error} ownFields={["note"]} actions={actions}>
                <Note tone="danger"><p>{text.deactivateText}</p></Note>
                <SelectField label={text.reason} value={reason} options={REASONS} onValue={setReason} />
                <TextField label={text.note} hint={text.noteHint} maxLength={500} value={note} onValue={setNote} error={error?.violationOf("note")} />
                <TextField label={text.typeLabel(label)} autocomplete="off" value={typed} onValue={setTyped}
                    error={isWrong ? text.typeLabelBad : undefined} />
            </Form>
        </Dialog>
    );
}
