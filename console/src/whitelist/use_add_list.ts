// Adds a list of any length in as many calls as it takes. What is added stays added: trying again goes on behind it, with the request_id
// of the call that failed, so that nothing is added twice.

import {useState} from "preact/hooks";
import type {NewWhitelistEntry, WhitelistWarning} from "../../gen/api.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {useChange} from "../rpc/use_change.ts";
import {inRuns, type PastedEntry} from "./paste.ts";

// Of one call, all of which is taken or none: what the method takes, and half of what a request may have by default, with each character
// of a note counted as the most that it may take.
const RUN_LENGTH = 10_000;
const RUN_BYTES = 500_000;
const ENTRY_BYTES = 80;

const sizeOf = ({address, note}: PastedEntry): number => ENTRY_BYTES + address.length + 4 * note.length;

const entryOf = ({address, bits, note}: PastedEntry): NewWhitelistEntry =>
    ({address, ...(bits === undefined ? {} : {checkingBits: bits}), ...(note === "" ? {} : {note})});

export interface AddList {
    busy: boolean;
    error: RpcError | undefined;
    /** How many of the list are added so far. */
    added: number;
    warnings: readonly WhitelistWarning[];
    /** How many are added now; all of them, unless there is an error. */
    run: (entries: readonly PastedEntry[]) => Promise<number>;
    /** The list is another one. */
    restart: () => void;
}

export function useAddList(draftId: string): AddList {
    const [added, setAdded] = useState(0);
    const [warnings, setWarnings] = useState<readonly WhitelistWarning[]>([]);
    const add = useChange("WhitelistService", "AddWhitelistEntries");

    async function run(entries: readonly PastedEntry[]): Promise<number> {
        let done = added;
        const odd: WhitelistWarning[] = [];
        for (const part of inRuns(entries.slice(done), RUN_LENGTH, RUN_BYTES, sizeOf)) {
            const answer = await add.run({draftId, entries: part.map(entryOf)});
            if (!answer) break;
            odd.push(...answer.warnings ?? []);
            done += part.length;
            setAdded(done);
        }
        setWarnings(odd);
        return done;
    }
    return {busy: add.busy, error: add.error, added, warnings, run, restart: () => setAdded(0)};
}
