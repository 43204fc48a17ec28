// Changes one entry.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {WhitelistEntry} from "../../gen/api.ts";
import {ClashNote, isStale} from "../form/clash_note.tsx";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {useEdited} from "../form/use_edited.ts";
import {judgeRange} from "../ip/judge.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {addressProblems, common, entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {CheckField, Field, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {areBits, formOf, updateOf, type EntryForm} from "./entry_form.ts";

interface EditEntryProps {
    entry: WhitelistEntry;
    draftId: string;
    onClose: () => void;
    onSaved: (entry: WhitelistEntry) => void;
}

const LABELS: Record<string, string> = {
    address: strings.address, checkingBits: strings.bits, note: strings.note, owner: strings.owner, disabled: strings.disabled, expiresAt: strings.expiresAt,
};

export function EditEntry({entry: loaded, draftId, onClose, onSaved}: EditEntryProps): JSX.Element {
    const [entry, setEntry] = useState(loaded);
    const [isTried, setTried] = useState(false);
    const edited = useEdited<EntryForm>(formOf(loaded));
    const update = useChange("WhitelistService", "UpdateWhitelistEntry");
    const {form, set} = edited;
    const wrongAddress = isTried ? judgeRange(form.address.trim()) : undefined;
    const wrongBits = isTried && !areBits(form.checkingBits) ? addressProblems.BITS_NOT_A_NUMBER : undefined;

    async function save(force: boolean): Promise<void> {
        setTried(true);
        const request = updateOf(entry, edited.base, form);
        if (!request || judgeRange(form.address.trim()) || !areBits(form.checkingBits)) {
            if (!request) onClose();
            return;
        }
        const answer = await update.run({...request, draftId, force});
        if (!answer?.entry) return;
        announce(strings.saved);
        onSaved(answer.entry);
    }
    // There is no method that gets one entry; those that hold its range are few, and it is one of them.
    async function loadAnew(): Promise<void> {
        const answer = await call("WhitelistService", "ListWhitelistEntries", {draftId, within: entry.cidr ?? "", pageSize: 1000}).catch(asRpcError);
        const now = "entries" in answer ? answer.entries?.find(each => each.entryId === entry.entryId) : undefined;
        if (!now) return;
        setEntry(now);
        edited.rebase(formOf(now));
        update.reset();
    }
    const problem = isStale(update.error) || isLockOut(update.error) ? undefined : update.error;
    return (
        <Dialog title={strings.editTitle(loaded.cidr ?? "")} onClose={onClose}>
            <Form onSubmit={() => save(false)} error={problem} actions={<>
                <Button kind="primary" type="submit" busy={update.busy}>{strings.save}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <ClashNote error={update.error} clashes={edited.clashes} labelOf={field => LABELS[field] ?? field} textOf={(_, value) => String(value)} onLoad={loadAnew} />
                {update.error && isLockOut(update.error) && <LockOut error={update.error} busy={update.busy} onForce={() => save(true)} />}
                <TextField label={strings.address} required value={form.address} onValue={address => set({address})} error={wrongAddress ?? problem?.violationOf("entry.address")} autocomplete="off" />
                <TextField label={strings.bits} required value={form.checkingBits} onValue={checkingBits => set({checkingBits})} error={wrongBits ?? problem?.violationOf("entry.checkingBits")} autocomplete="off" />
                <TextField label={strings.note} maxLength={500} value={form.note} onValue={note => set({note})} error={problem?.violationOf("entry.note")} autocomplete="off" />
                <TextField label={strings.owner} maxLength={100} value={form.owner} onValue={owner => set({owner})} error={problem?.violationOf("entry.owner")} autocomplete="off" />
                <Field label={strings.expiresAt} hint={strings.expiresHint} error={problem?.violationOf("entry.expiresAt")}>
                    {control => <input type="datetime-local" {...control} value={form.expiresAt} onInput={event => set({expiresAt: event.currentTarget.value})} />}
                </Field>
                <CheckField label={strings.disabled} checked={form.disabled} onChecked={disabled => set({disabled})} />
            </Form>
        </Dialog>
    );
}
