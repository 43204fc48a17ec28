// Who members are, for lists that know only their ids. Each is asked for once while the page is open.

import {useEffect, useState} from "preact/hooks";
import {call} from "../rpc/call.ts";
import {may, useSignedIn} from "../session/context.ts";

const known = new Map<string, string>();

async function load(memberId: string, signal: AbortSignal): Promise<void> {
    const {member} = await call("MemberService", "GetMember", {memberId}, {signal});
    known.set(memberId, member?.email || memberId);
}

/** Of others than the caller. They may be asked for by who may read members; to who may not they stay ids. */
export function useMemberNames(memberIds: readonly string[]): (memberId: string) => string {
    const signedIn = useSignedIn();
    const others = memberIds.filter(id => id !== signedIn.caller.memberId);
    return useNames(may(signedIn, "latchkey.members.read") ? others : []);
}

/** By id: the e-mail address, or the id while it is not known, or can't be. */
function useNames(memberIds: readonly string[]): (memberId: string) => string {
    const [, setTurn] = useState(0);
    const missing = [...new Set(memberIds)].filter(id => id !== "" && !known.has(id));
    useEffect(() => {
        const controller = new AbortController();
        // One that can't be had stays its id.
        Promise.allSettled(missing.map(id => load(id, controller.signal))).then(() => setTurn(turn => turn + 1));
        return () => controller.abort();
    }, [missing.join(" ")]);
    return memberId => known.get(memberId) ?? memberId;
}
