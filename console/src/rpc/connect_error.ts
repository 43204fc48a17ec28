// Connect's error JSON read as an RpcError. The server says each detail in JSON too (`debug`), so that no protobuf is read here.

import {durationMs} from "../time/duration.ts";
import {RpcError, type Violation} from "./rpc_error.ts";

type Json = Record<string, unknown>;

// Connect's own table, for answers that something before the server gave.
const CODE_OF_STATUS: Record<number, string> = {
    400: "internal", 401: "unauthenticated", 403: "permission_denied", 404: "unimplemented",
    429: "unavailable", 502: "unavailable", 503: "unavailable", 504: "unavailable",
};

function asObject(value: unknown): Json {
    return typeof value === "object" && value !== null ? value as Json : {};
}

function asText(value: unknown): string {
    return typeof value === "string" ? value : "";
}

function asList(value: unknown): unknown[] {
    return Array.isArray(value) ? value : [];
}

function camelCase(path: string): string {
    return path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function detailOf(body: Json, type: string): Json {
    return asObject(asObject(asList(body.details).find(detail => asObject(detail).type === type)).debug);
}

function violationsOf(body: Json): Violation[] {
    return asList(detailOf(body, "google.rpc.BadRequest").fieldViolations).map(asObject)
        .map(({field, description}) => ({field: camelCase(asText(field)), description: asText(description)}));
}

function metadataOf(info: Json): Record<string, string> {
    return Object.fromEntries(Object.entries(asObject(info.metadata)).map(([name, value]) => [name, asText(value)]));
}

/** The error that an answer with this HTTP status and JSON body (anything else: no JSON) stands for. */
export function readConnectError(status: number, body: unknown): RpcError {
    const said = asObject(body);
    const info = detailOf(said, "google.rpc.ErrorInfo");
    return new RpcError({
        code: asText(said.code) || CODE_OF_STATUS[status] || "unknown",
        reason: asText(info.reason),
        message: asText(said.message),
        metadata: metadataOf(info),
        violations: violationsOf(said),
        retryAfterMs: durationMs(asText(detailOf(said, "google.rpc.RetryInfo").retryDelay)),
    });
}
