// What a page shows of the server: loading, then data or an error, and anew on demand or when what it depends on changes.

import {useEffect, useState} from "preact/hooks";
import {call, type Method, type RequestOf, type ResponseOf, type Service} from "./call.ts";
import {RpcError} from "./rpc_error.ts";

export type Loading<T> =
    & {reload: () => void}
    & ({state: "loading"; data?: undefined; error?: undefined}
        | {state: "error"; data?: undefined; error: RpcError}
        /** With an error: it could not be loaded anew, and these are the data of before. */
        | {state: "done"; data: T; error: RpcError | undefined});

interface Outcome<T> {
    key: string;
    turn: number;
    /** In a list of one, so that nothing at all may be what was loaded. */
    loaded: [T] | [];
    error?: RpcError;
}

/**
 * `load` is run again whenever `key`, which must say all that it depends on, is another one; an answer to an older key is dropped. While
 * `reload` is under way, and when it fails, the data stay.
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, key: string): Loading<T> {
    const [turn, setTurn] = useState(0);
    const [outcome, setOutcome] = useState<Outcome<T> | null>(null);
    useEffect(() => {
        const controller = new AbortController();
        const settle = (next: (kept: [T] | []) => Outcome<T>): void => {
            if (!controller.signal.aborted) setOutcome(before => next(before?.key === key ? before.loaded : []));
        };
        load(controller.signal).then(
            data => settle(() => ({key, turn, loaded: [data]})),
            error => settle(loaded => ({key, turn, loaded, error: asRpcError(error)})),
        );
        return () => controller.abort();
    }, [key, turn]);
    return {...stateOf(outcome, key, turn), reload: () => setTurn(turn + 1)};
}

function stateOf<T>(outcome: Outcome<T> | null, key: string, turn: number) {
    if (outcome?.key !== key) return {state: "loading" as const};
    const error = outcome.turn === turn ? outcome.error : undefined;
    if (outcome.loaded.length > 0) return {state: "done" as const, data: outcome.loaded[0] as T, error};
    return error ? {state: "error" as const, error} : {state: "loading" as const};
}

/** One call of a method that reads. */
export function useRpc<S extends Service, M extends Method<S>>(
    service: S, method: M, request: RequestOf<S, M>,
): Loading<ResponseOf<S, M>> {
    return useLoad(signal => call(service, method, request, {signal}), `${service}/${method} ${JSON.stringify(request)}`);
}

export function asRpcError(error: unknown): RpcError {
    return error instanceof RpcError ? error
        : new RpcError({code: "internal", reason: "PAGE", message: error instanceof Error ? error.message : String(error)});
}
