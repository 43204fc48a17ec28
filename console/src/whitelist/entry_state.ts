import type {WhitelistEntry} from "../../gen/api.ts";

export type EntryState = "on" | "disabled" | "expired";

/** Whether an entry lets anybody in now. */
export function stateOf({disabled, expiresAt}: WhitelistEntry, nowMs: number): EntryState {
    if (disabled) return "disabled";
    return expiresAt && Date.parse(expiresAt) <= nowMs ? "expired" : "on";
}
