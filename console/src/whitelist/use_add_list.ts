// Adds a list of any length in as many calls as it takes. What is added stays added: trying again goes on behind it, with the request_id
// of the call that failed, so that nothing is added twice.

import {useRef, useState} from "preact/hooks";
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
    /** From the first call to the last. */
    busy: boolean;
    /** There is more than one, so that there is something to stop. */
    isLong: boolean;
    error: RpcError | undefined;
    /** How many of the list are added so far. */
    added: number;
    warnings: readonly WhitelistWarning[];
    /** How many are added now; all of them, unless there is an error or it was stopped. */
    run: (entries: readonly PastedEntry[]) => Promise<number>;
    /** After the call that is under way, whose outcome has to be known. */
    stop: () => void;
    /** The list is another one. */
    restart: () => void;
}

export function useAddList(draftId: string): AddList {
    const [added, setAdded] = useState(0);
    const [warnings, setWarnings] = useState<readonly WhitelistWarning[]>([]);
    const add = useChange("WhitelistService", "AddWhitelistEntries");
    // Of the list that is being added; 0: none is.
    const [calls, setCalls] = useState(0);
    const isStopped = useRef(false);

    async function run(entries: readonly PastedEntry[]): Promise<number> {
        let done = added;
        const odd: WhitelistWarning[] = [];
        const runs = inRuns(entries.slice(done), RUN_LENGTH, RUN_BYTES, sizeOf);
        isStopped.current = false;
        setCalls(runs.length);
        for (const part of runs) {
            if (isStopped.current) break;
            const answer = await add.run({draftId, entries: part.map(entryOf)});
            if (!answer) break;
            odd.push(...answer.warnings ?? []);
            done += part.length;
            setAdded(done);
        }
        setCalls(0);
        setWarnings(odd);
        return done;
    }
    return {
        busy: calls > 0, isLong: calls > 1, error: add.error, added, warnings, run,
        stop: () => { isStopped.current = true; }, restart: () => setAdded(0),
    };
}
