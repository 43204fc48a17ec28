// Who is signed in, as the server knows it.

import type {Caller} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";
import {setCaller} from "../rpc/caller.ts";

/** From now on the page is for them; rejects where it was for somebody else. */
export async function askCaller(signal?: AbortSignal): Promise<Caller> {
    const {caller = {}} = await call("TokenService", "GetCaller", {}, {signal});
    setCaller(caller);
    return caller;
}
