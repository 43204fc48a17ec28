// For whom the page is: what GetCaller has told it, sent with each of its requests. The session's cookie may have become somebody else's
// since; then the server does nothing of what this page asks, and says so.

import type {Caller} from "../../gen/api.ts";
import type {RpcError} from "./rpc_error.ts";

let id = "";
let onOther = (): void => {};

/** From now on, until the page is loaded anew. */
export function setCaller(caller: Caller): void {
    id = caller.memberId || caller.tokenId || "";
}

export const callerHeaders = (): Record<string, string> => id === "" ? {} : {"Latchkey-Caller": id};

/** Who is told that the session is somebody else's: of each request that finds it so. */
export function setOnOtherCaller(listener: () => void): void {
    onOther = listener;
}

/** The same error. */
export function noticeOtherCaller(error: RpcError): RpcError {
    if (error.reason === "CALLER_MISMATCH") onOther();
    return error;
}
