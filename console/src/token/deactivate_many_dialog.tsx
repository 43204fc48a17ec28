// Deactivates all tokens of a filter, for good: their number is typed first.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {DeactivateReason} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {useRpc} from "../rpc/use_load.ts";
import {common, token as text, tokens} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Facts} from "../ui/facts.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";
import {REASONS, WAIT} from "./deactivate_dialog.tsx";
import {filterOf, filterText, type Filter} from "./filter.ts";

interface DeactivateManyDialogProps {
    filter: Filter;
    onClose: () => void;
    onDeactivated: (said: string) => void;
}

export function DeactivateManyDialog({filter, onClose, onDeactivated}: DeactivateManyDialogProps): JSX.Element {
    const trial = useRpc("TokenService", "DeactivateAccessTokens", {...filterOf(filter), dryRun: true});
    return (
        <Dialog title={text.deactivateManyTitle} onClose={onClose}>
            <div class="stack">
                <Facts facts={filterText(filter, () => tokens.mine)} />
                <Loaded of={trial} rows={2}>
                    {({count = "0"}) => count === "0"
                        ? <><p>{text.deactivateNone}</p><div class="actions"><Button onClick={onClose}>{common.close}</Button></div></>
                        : <Confirm filter={filter} count={count} onClose={onClose} onDeactivated={onDeactivated} />}
                </Loaded>
            </div>
        </Dialog>
    );
}

function Confirm({filter, count, onClose, onDeactivated}: DeactivateManyDialogProps & {count: string}): JSX.Element {
    const [reason, setReason] = useState<DeactivateReason>("DEACTIVATE_REASON_UNUSED");
    const [note, setNote] = useState("");
    const [typed, setTyped] = useState("");
    const [isWrong, setWrong] = useState(false);
    const {busy, error, run} = useChange("TokenService", "DeactivateAccessTokens");
    async function deactivate(): Promise<void> {
        const isRight = typed.trim() === count;
        setWrong(!isRight);
        if (!isRight) return;
        const done = await run({...filterOf(filter), reason, note: note.trim(), waitForValidators: WAIT});
        if (done) onDeactivated(text.deactivatedMany(Number(done.count ?? "0"), done.validators?.allConfirmed ?? false));
    }
    return (
        <Form onSubmit={deactivate} error={error} ownFields={["note"]} actions={<>
            <Button kind="danger" type="submit" busy={busy}>{text.deactivateNow}</Button>
            <Button onClick={onClose}>{common.cancel}</Button>
        </>}>
            <Note tone="danger"><p>{text.deactivateManyText(Number(count))}</p></Note>
            <SelectField label={text.reason} value={reason} options={REASONS} onValue={setReason} />
            <TextField label={text.note} hint={text.noteHint} maxLength={500} value={note} onValue={setNote} error={error?.violationOf("note")} />
            <TextField label={text.typeNumber(count)} autocomplete="off" value={typed} onValue={setTyped}
                error={isWrong ? text.typeNumberBad : undefined} />
        </Form>
    );
}
