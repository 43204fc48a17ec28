// Which access tokens are listed, and which of them would be deactivated together.

import type {DeactivateAccessTokensRequest, ListAccessTokensRequest, TokenState} from "../../gen/api.ts";
import {tokens} from "../strings.ts";
import {stateName} from "./state.ts";

export interface Filter {
    label: string;
    state: TokenState;
    /** Empty: everybody's. */
    memberId: string;
}

export const NO_FILTER: Filter = {label: "", state: "TOKEN_STATE_UNSPECIFIED", memberId: ""};

/** What is set; the two requests call it the same. */
export const filterOf = ({label, state, memberId}: Filter): Pick<ListAccessTokensRequest & DeactivateAccessTokensRequest, "labelContains" | "state" | "memberId"> => ({
    ...(label.trim() !== "" && {labelContains: label.trim()}),
    ...(state !== "TOKEN_STATE_UNSPECIFIED" && {state}),
    ...(memberId !== "" && {memberId}),
});

export const isSet = (filter: Filter): boolean => Object.keys(filterOf(filter)).length > 0;

/** The same in words, a line for each that is set. */
export function filterText({label, state, memberId}: Filter, ownerName: (memberId: string) => string): [string, string][] {
    return [
        ...label.trim() !== "" ? [[tokens.search, label.trim()] as [string, string]] : [],
        ...state !== "TOKEN_STATE_UNSPECIFIED" ? [[tokens.stateFilter, stateName(state)] as [string, string]] : [],
        ...memberId !== "" ? [[tokens.ownerFilter, ownerName(memberId)] as [string, string]] : [],
    ];
}
