// Removes an entry; of the live list one sees first whom that refuses.

import type {JSX} from "preact";
import type {WhitelistEntry} from "../../gen/api.ts";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";
import {Preview} from "./preview.tsx";

interface RemoveEntryProps {
    entry: WhitelistEntry;
    draftId: string;
    /** The list is on, so that it takes effect. */
    isLive: boolean;
    onClose: () => void;
    onRemoved: (entryId: string) => void;
}

export function RemoveEntry({entry: {entryId = "", cidr = ""}, draftId, isLive, onClose, onRemoved}: RemoveEntryProps): JSX.Element {
    const remove = useChange("WhitelistService", "RemoveWhitelistEntries");
    const isLocked = isLockOut(remove.error);
    async function run(force: boolean): Promise<void> {
        if (!await remove.run({draftId, entryIds: [entryId], force})) return;
        announce(strings.removed(cidr));
        onRemoved(entryId);
    }
    return (
        <Dialog title={strings.removeTitle(cidr)} onClose={onClose}>
            <Form onSubmit={() => run(false)} error={isLocked ? undefined : remove.error} actions={<>
                <Button kind="danger" type="submit" busy={remove.busy}>{strings.remove}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                {isLive && <Preview request={{entriesRemoved: [entryId]}} />}
                {remove.error && isLocked && <LockOut error={remove.error} busy={remove.busy} onForce={() => run(true)} />}
            </Form>
        </Dialog>
    );
}
