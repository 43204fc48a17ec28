// A long list as it is scrolled through: asks for the pages that are missing, one at a time, and drops those that are far.

import {useEffect, useState} from "preact/hooks";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError} from "../rpc/use_load.ts";
import type {Page} from "../rpc/use_pages.ts";
import {lookAt, missing, openWindow, receive, removeRows, replaceRow, type ListWindow} from "./window.ts";

/** Pages in memory; odd, the one looked at is in the middle. */
const KEEP = 5;

export interface LongList<T> {
    window: ListWindow<T>;
    error: RpcError | undefined;
    retry: () => void;
    lookAt: (page: number) => void;
    remove: (isGone: (row: T) => boolean) => void;
    replace: (isIt: (row: T) => boolean, by: T) => void;
}

/** `key` says what the list is of; with another one it begins anew. */
export function useWindow<T>(load: (token: string, signal: AbortSignal) => Promise<Page<T>>, key: string): LongList<T> {
    const [kept, setKept] = useState({key, window: openWindow<T>(KEEP)});
    const [failure, setFailure] = useState<{key: string; error: RpcError} | null>(null);
    const window = kept.key === key ? kept.window : openWindow<T>(KEEP);
    const wanted = missing(window)[0];
    const error = failure?.key === key ? failure.error : undefined;

    const change = (step: (window: ListWindow<T>) => ListWindow<T>): void =>
        setKept(now => ({key, window: step(now.key === key ? now.window : openWindow<T>(KEEP))}));

    useEffect(() => {
        if (wanted === undefined || error) return undefined;
        const controller = new AbortController();
        const unlessOver = (act: () => void): void => { if (!controller.signal.aborted) act(); };
        load(window.pages[wanted]?.token ?? "", controller.signal).then(
            page => unlessOver(() => change(now => receive(now, wanted, page.items, page.next))),
            failed => unlessOver(() => setFailure({key, error: asRpcError(failed)})),
        );
        return () => controller.abort();
    }, [key, wanted, error]);

    return {
        window,
        error,
        retry: () => setFailure(null),
        lookAt: page => change(now => lookAt(now, page)),
        remove: isGone => change(now => removeRows(now, isGone)),
        replace: (isIt, by) => change(now => replaceRow(now, isIt, by)),
    };
}
