// How a token's state and owner are shown.

import type {AccessToken, TokenState} from "../../gen/api.ts";
import {tokens} from "../strings.ts";
import type {Tone} from "../ui/badge.tsx";

const TONES: Partial<Record<TokenState, Tone>> = {
    TOKEN_STATE_ACTIVE: "good",
    TOKEN_STATE_SUSPENDED: "warn",
    TOKEN_STATE_NOT_YET_VALID: "warn",
    TOKEN_STATE_EXPIRED: "calm",
    TOKEN_STATE_DEACTIVATED: "bad",
};

export function stateName(state: TokenState | undefined): string {
    return tokens.states[state ?? ""] ?? tokens.unknownState;
}

export function stateTone(state: TokenState | undefined): Tone {
    return (state && TONES[state]) ?? "calm";
}

/** Whether it can still be changed: neither deactivated nor expired. */
export function isLive({state}: AccessToken): boolean {
    return state === "TOKEN_STATE_ACTIVE" || state === "TOKEN_STATE_SUSPENDED" || state === "TOKEN_STATE_NOT_YET_VALID";
}

export function ownerName({memberId}: AccessToken, ownMemberId: string | undefined, nameOf: (memberId: string) => string): string {
    if (!memberId) return tokens.company;
    return memberId === ownMemberId ? tokens.mine : nameOf(memberId);
}
