// What an error is called. The server's sentences are made for people, so they are shown where it gave one; what the page itself found
// (no network, no answer) has words of its own.

import type {RpcError} from "../rpc/rpc_error.ts";
import {errors} from "../strings.ts";

export interface ErrorText {
    title: string;
    text: string;
}

const OF_PAGE = new Set(["NETWORK", "TIMEOUT", "PAGE"]);

export function errorText(error: RpcError): ErrorText {
    const title = errors.titles[error.code] ?? errors.unknownTitle;
    // Why the log-in has ended is no matter to who has to sign in again.
    if (error.code === "unauthenticated") return {title, text: errors.signInAgain};
    return {title, text: errors.texts[error.reason] ?? (OF_PAGE.has(error.reason) || error.message === "" ? errors.unknownText : error.message)};
}
