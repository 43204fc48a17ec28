// Where one was when the session was over, to come back to after signing in, maybe in another tab (the link in a mail opens one). A path
// only: it has no secret, and it is forgotten after half an hour.

import {isOwnPath} from "../app/path.ts";

const KEY = "latchkey-return-to";
const KEPT_MS = 30 * 60 * 1000;
const HOME = "/tokens";

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export function keepReturn(path: string, now: number, store: Store = localStorage): void {
    if (isOwnPath(path)) store.setItem(KEY, JSON.stringify({path, at: now}));
}

/** The path to come back to. */
export function peekReturn(now: number, store: Store = localStorage): string {
    const kept = parse(store.getItem(KEY));
    return kept !== null && now - kept.at < KEPT_MS && now >= kept.at && isOwnPath(kept.path) ? kept.path : HOME;
}

/** The same, once. */
export function takeReturn(now: number, store: Store = localStorage): string {
    const path = peekReturn(now, store);
    store.removeItem(KEY);
    return path;
}

function parse(text: string | null): {path: string; at: number} | null {
    try {
        const {path, at} = JSON.parse(text ?? "null");
        return typeof path === "string" && typeof at === "number" ? {path, at} : null;
    } catch {
        return null;
    }
}
