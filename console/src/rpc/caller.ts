// For whom the page is: what GetCaller has told it, sent with each of its requests. The session's cookie may have become somebody else's
// since; then the server does nothing of what this page asks, and says so.

import type {Caller} from "../../gen/api.ts";
import {RpcError} from "./rpc_error.ts";

let id = "";
let onOther = (): void => {};
let onMissing = (): void => {};

/**
 * What GetCaller has answered: for whom the page is from now on, until it is loaded anew. Throws where it was for somebody else: a server
 * from before there were claims does not compare, nor does one that a proxy keeps them from.
 */
export function setCaller(caller: Caller): void {
    const now = caller.memberId || caller.tokenId || "";
    if (id !== "" && now !== id) throw noticeRefusal(new RpcError({code: "permission_denied", reason: "CALLER_MISMATCH", message: ""}));
    id = now;
}

export const callerHeaders = (): Record<string, string> => id === "" ? {} : {"Latchkey-Caller": id};

/** Who is told that the session is somebody else's: of each request that finds it so. */
export function setOnOtherCaller(listener: () => void): void {
    onOther = listener;
}

/** Who is told that the page's requests come without what they say here: of each that the server finds so. */
export function setOnCallerMissing(listener: () => void): void {
    onMissing = listener;
}

/** The same error. */
export function noticeRefusal(error: RpcError): RpcError {
    if (error.reason === "CALLER_MISMATCH") onOther();
    if (error.reason === "CALLER_MISSING") onMissing();
    return error;
}
