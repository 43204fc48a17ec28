// Calls of the servers' methods: Connect unary with JSON on the page's own origin. The session's cookie goes along by itself.

import type {Calls} from "../../gen/api.ts";
import {postJson} from "./post_json.ts";
import {isRepeatable, retryDelayMs} from "./retry.ts";
import {RpcError} from "./rpc_error.ts";
import {wait} from "./wait.ts";

export type Service = keyof Calls;
export type Method<S extends Service> = keyof Calls[S] & string;
export type RequestOf<S extends Service, M extends Method<S>> = Calls[S][M] extends {request: infer R extends object} ? R : never;
export type ResponseOf<S extends Service, M extends Method<S>> = Calls[S][M] extends {response: infer R} ? R : never;

export interface CallOptions {
    /** Ends the call and its repetitions; it then rejects with an AbortError. */
    signal?: AbortSignal | undefined;
    /** For each try; 30 s unless it is said. */
    timeoutMs?: number;
}

let onSessionOver = (): void => {};

/** Who is told that the server does not know the session any more: of each call that finds it so. */
export function setOnSessionOver(listener: () => void): void {
    onSessionOver = listener;
}

/** Rejects with RpcError. Repeats what is UNAVAILABLE where that does no harm. */
export async function call<S extends Service, M extends Method<S>>(
    service: S, method: M, request: RequestOf<S, M>, options: CallOptions = {},
): Promise<ResponseOf<S, M>> {
    for (let tries = 1; ; tries++) {
        try {
            return await postJson(`/latchkey.v1.${service}/${method}`, request, options) as ResponseOf<S, M>;
        } catch (error) {
            if (!(error instanceof RpcError)) throw error;
            if (error.code === "unauthenticated") onSessionOver();
            const delay = isRepeatable(method, request) ? retryDelayMs(error, tries) : undefined;
            if (delay === undefined) throw error;
            await wait(delay, options.signal);
        }
    }
}
