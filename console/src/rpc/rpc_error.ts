// What a call fails with, whatever it was that failed: the server's own word, the network, the clock.

/** A field that the server does not take, `allowedIps[3]`, and a sentence that says what to type. */
export interface Violation {
    field: string;
    description: string;
}

export interface RpcErrorParts {
    code: string;
    reason?: string;
    message: string;
    metadata?: Record<string, string>;
    violations?: Violation[];
    retryAfterMs?: number | undefined;
}

export class RpcError extends Error {
    /** Connect's name of the code: `not_found`. */
    readonly code: string;
    /** The word to program against: `ETAG_STALE`; NETWORK and TIMEOUT are the page's own; empty where the server gave none. */
    readonly reason: string;
    readonly metadata: Record<string, string>;
    readonly violations: Violation[];
    readonly retryAfterMs: number | undefined;

    constructor({code, reason = "", message, metadata = {}, violations = [], retryAfterMs}: RpcErrorParts) {
        super(message);
        this.name = "RpcError";
        this.code = code;
        this.reason = reason;
        this.metadata = metadata;
        this.violations = violations;
        this.retryAfterMs = retryAfterMs;
    }

    /** What is said about a field of the request, of its elements too; undefined: nothing. */
    violationOf(field: string): string | undefined {
        const said = this.violations.filter(violation => isOrIsIn(violation.field, field));
        return said.length > 0 ? said.map(violation => violation.description).join(" ") : undefined;
    }
}

/** Whether `path`, as `allowedIps[3]`, is a field or something in it. */
export function isOrIsIn(path: string, field: string): boolean {
    return path === field || path.startsWith(`${field}[`) || path.startsWith(`${field}.`);
}
