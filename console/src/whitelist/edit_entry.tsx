// Changes one entry.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {WhitelistEntry} from "../../gen/api.ts";
import {AmendForm} from "../form/amend_form.tsx";
import {useAmendment} from "../form/use_amendment.ts";
import {judgeRange} from "../ip/judge.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {addressProblems, common, entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {CheckField, Field, TextField} from "../ui/field.tsx";
import {areBits, formOf, updateOf, type EntryForm} from "./entry_form.ts";

const LABELS: Record<keyof EntryForm & string, string> = {
    address: strings.address, checkingBits: strings.bits, note: strings.note, owner: strings.owner, disabled: strings.disabled,
    expiresAt: strings.expiresAt,
};

/** There is no method that gets one entry; those inside of its range are few, and it is one of them. */
async function loadEntry({entryId, cidr = ""}: WhitelistEntry, draftId: string): Promise<WhitelistEntry | undefined> {
    const {entries = []} = await call("WhitelistService", "ListWhitelistEntries", {draftId, within: cidr, pageSize: 1000});
    return entries.find(entry => entry.entryId === entryId);
}

interface EditEntryProps {
    entry: WhitelistEntry;
    draftId: string;
    onClose: () => void;
    onSaved: (entry: WhitelistEntry) => void;
}

export function EditEntry({entry, draftId, onClose, onSaved}: EditEntryProps): JSX.Element {
    const [isTried, setTried] = useState(false);
    const update = useChange("WhitelistService", "UpdateWhitelistEntry");
    const amendment = useAmendment({
        object: entry, formOf, updateOf, update,
        send: async (request, force) => (await update.run({...request, draftId, force}))?.entry,
        load: () => loadEntry(entry, draftId),
        onSaved: saved => {
            announce(strings.saved);
            onSaved(saved);
        },
    });
    const {form, set, busy} = amendment;
    const wrongAddress = judgeRange(form.address.trim());
    const wrongBits = areBits(form.checkingBits) ? undefined : addressProblems.BITS_NOT_A_NUMBER;
    const said = (field: string): string | undefined => amendment.error?.violationOf(`entry.${field}`);
    async function save(force?: boolean): Promise<void> {
        setTried(true);
        if (!wrongAddress && !wrongBits) await amendment.save(force);
    }
    return (
        <Dialog title={strings.editTitle(entry.cidr ?? "")} onClose={onClose}>
            <AmendForm of={{...amendment, save}} labels={LABELS} path="entry" actions={<>
                <Button kind="primary" type="submit" busy={busy}>{strings.save}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <TextField label={strings.address} required value={form.address} onValue={address => set({address})}
                    error={(isTried && wrongAddress) || said("address")} autocomplete="off" />
                <TextField label={strings.bits} required value={form.checkingBits} onValue={checkingBits => set({checkingBits})}
                    error={(isTried && wrongBits) || said("checkingBits")} autocomplete="off" />
                <TextField label={strings.note} maxLength={500} value={form.note} onValue={note => set({note})} error={said("note")} autocomplete="off" />
                <TextField label={strings.owner} maxLength={100} value={form.owner} onValue={owner => set({owner})} error={said("owner")}
                    autocomplete="off" />
                <Field label={strings.expiresAt} hint={strings.expiresHint} error={said("expiresAt")}>
                    {control => (
                        <input type="datetime-local" {...control} value={form.expiresAt} onInput={event => set({expiresAt: event.currentTarget.value})} />
                    )}
                </Field>
                <CheckField label={strings.disabled} checked={form.disabled} onChecked={disabled => set({disabled})} />
            </AmendForm>
        </Dialog>
    );
}
