// One request of JSON to the page's own origin, answered by JSON or an RpcError.

import {callerHeaders, noticeRefusal} from "./caller.ts";
import {readConnectError} from "./connect_error.ts";
import {RpcError} from "./rpc_error.ts";

const TIMEOUT_MS = 30_000;
const HEADERS = {"Content-Type": "application/json", "Connect-Protocol-Version": "1"};

interface PostOptions {
    signal?: AbortSignal | undefined;
    timeoutMs?: number;
}

// An AbortError where the caller's signal ended it; everything else that is no answer is UNAVAILABLE, for what became of it is unknown.
function failureOf(error: unknown, signal: AbortSignal | undefined, timeout: AbortSignal): unknown {
    if (signal?.aborted) return signal.reason;
    const reason = timeout.aborted ? "TIMEOUT" : "NETWORK";
    return new RpcError({code: "unavailable", reason, message: error instanceof Error ? error.message : ""});
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** What a server answers that is no JSON, or an empty body, is undefined. */
export async function postJson(path: string, body: object, {signal, timeoutMs = TIMEOUT_MS}: PostOptions = {}): Promise<unknown> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = new AbortController();
    for (const source of signal ? [signal, timeout] : [timeout]) {
        if (source.aborted) either.abort(source.reason);
        source.addEventListener("abort", () => either.abort(source.reason), {signal: either.signal});
    }
    let answer: Response;
    let text: string;
    try {
        const headers = {...HEADERS, ...callerHeaders()};
        answer = await fetch(path, {method: "POST", headers, body: JSON.stringify(body), redirect: "error", signal: either.signal});
        text = await answer.text();
    } catch (error) {
        throw failureOf(error, signal, timeout);
    }
    if (!answer.ok) throw noticeRefusal(readConnectError(answer.status, parse(text)));
    return parse(text);
}
