// A walk over the audit log's chain that takes several calls: where the next one goes on, and when it is over.

import type {VerifyAuditLogRequest, VerifyAuditLogResponse} from "../../gen/api.ts";

export interface Walk {
    /** Events in all calls so far. */
    checked: number;
    last?: VerifyAuditLogResponse;
}

export const nextStep = ({last}: Walk): VerifyAuditLogRequest =>
    last ? {fromSequence: last.nextSequence ?? "0", previousHash: last.nextPreviousHash ?? ""} : {};

/** Also where the server says nothing of how to go on, lest it begin again. */
export const isOver = ({last}: Walk): boolean => (last?.nextSequence ?? "0") === "0" || (last?.brokenSequence ?? "0") !== "0";

/** Of protobuf's base64. */
export const hexOf = (base64: string | undefined): string =>
    Array.from(atob(base64 ?? ""), character => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
