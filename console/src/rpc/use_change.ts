// A change that a form or a button makes: what it is doing, what it failed with, and one request_id until it has succeeded.

import {useEffect, useRef, useState} from "preact/hooks";
import {call, type Method, type RequestOf, type ResponseOf, type Service} from "./call.ts";
import {RequestIds} from "./request_ids.ts";
import type {RpcError} from "./rpc_error.ts";
import {asRpcError} from "./use_load.ts";

export interface Change<Request, Response> {
    busy: boolean;
    /** Of the last try; undefined while there is a next one. */
    error: RpcError | undefined;
    /** Undefined: it failed, or was running already. `request` without requestId. */
    run: (request: Request) => Promise<Response | undefined>;
    /** Forgets the error. */
    reset: () => void;
}

export function useChange<S extends Service, M extends Method<S>>(service: S, method: M): Change<RequestOf<S, M>, ResponseOf<S, M>> {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<RpcError | undefined>(undefined);
    const ids = useRef(new RequestIds());
    const running = useRef(false);
    const shown = useRef(true);
    useEffect(() => () => { shown.current = false; }, []);

    async function run(request: RequestOf<S, M>): Promise<ResponseOf<S, M> | undefined> {
        if (running.current) return undefined;
        running.current = true;
        setBusy(true);
        setError(undefined);
        try {
            const response = await call(service, method, {...request, requestId: ids.current.idFor(request)});
            ids.current.done();
            return response;
        } catch (failure) {
            if (shown.current) setError(asRpcError(failure));
            return undefined;
        } finally {
            running.current = false;
            if (shown.current) setBusy(false);
        }
    }

    return {busy, error, run, reset: () => setError(undefined)};
}
