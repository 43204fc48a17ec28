// Which events are listed: the form's fields, the address bar and the request say the same.

import type {ListAuditEventsRequest} from "../../gen/api.ts";

export interface AuditFilters {
    /** `YYYY-MM-DD` in the viewer's zone, whole days; blank: all. */
    since: string;
    until: string;
    action: string;
    memberId: string;
    objectId: string;
}

export const NO_FILTERS: AuditFilters = {since: "", until: "", action: "", memberId: "", objectId: ""};

const NAMES = Object.keys(NO_FILTERS) as (keyof AuditFilters)[];

export const filtersOf = (query: URLSearchParams): AuditFilters =>
    Object.fromEntries(NAMES.map(name => [name, query.get(name) ?? ""])) as unknown as AuditFilters;

export function queryOf(filters: AuditFilters): string {
    const query = new URLSearchParams(NAMES.filter(name => filters[name].trim() !== "").map(name => [name, filters[name].trim()]));
    const text = query.toString();
    return text === "" ? "" : `?${text}`;
}

/** Midnight there, so many days on; undefined for what is no day. */
function dayStart(text: string, days: number): string | undefined {
    const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
    if (!match) return undefined;
    const date = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + days);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** `until` includes its day. */
export function requestOf(filters: AuditFilters): ListAuditEventsRequest {
    const since = dayStart(filters.since, 0);
    const until = dayStart(filters.until, 1);
    return {
        ...(since && {since}),
        ...(until && {until}),
        ...(filters.action && {action: filters.action.trim()}),
        ...(filters.memberId && {memberId: filters.memberId.trim()}),
        ...(filters.objectId && {objectId: filters.objectId.trim()}),
    };
}
