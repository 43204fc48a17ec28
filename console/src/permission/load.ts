import type {Permission} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";

const PAGE_SIZE = 1000;

/** The whole catalogue: at most some thousand names. */
export async function loadPermissions(signal: AbortSignal): Promise<Permission[]> {
    const all: Permission[] = [];
    for (let pageToken = ""; ;) {
        const page = await call("TokenService", "ListPermissions", {pageSize: PAGE_SIZE, pageToken}, {signal});
        all.push(...page.permissions ?? []);
        if (!page.nextPageToken) return all;
        pageToken = page.nextPageToken;
    }
}
