// A change that would refuse whoever makes it, or everybody: the server does not do it unless it is told to. Says which address it is
// and which entry would keep it in.

import type {JSX} from "preact";
import type {RpcError} from "../rpc/rpc_error.ts";
import {lockOut as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Note} from "../ui/note.tsx";

export const isLockOut = (error: RpcError | undefined): boolean => error?.reason === "LOCKS_OUT_CALLER" || error?.reason === "LOCKS_OUT_EVERYBODY";

export function LockOut({error, busy, onForce}: {error: RpcError; busy: boolean; onForce: () => void}): JSX.Element {
    const {clientIp, neededEntry, refusedInSeconds} = error.metadata;
    return (
        <Note tone="danger" alert>
            <p><strong>{error.reason === "LOCKS_OUT_EVERYBODY" ? strings.everybody : strings.caller}</strong></p>
            {clientIp && <p>{strings.address} <code>{clientIp}</code>.</p>}
            {refusedInSeconds && <p>{strings.soon(Number(refusedInSeconds))}</p>}
            {neededEntry && <p>{strings.needed} <code>{neededEntry}</code>.</p>}
            <Button kind="danger" busy={busy} onClick={onForce}>{strings.force}</Button>
        </Note>
    );
}
