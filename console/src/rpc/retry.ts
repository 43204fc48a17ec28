// When a call that failed is made again by itself, and after what time.

import type {RpcError} from "./rpc_error.ts";

const DELAYS_MS = [300, 1500];
const PATIENCE_MS = 5000;
const READS = /^(Get|List|Lookup|Check|Preview|Verify|Explain)/;

/** Whether it does no harm to make a call twice: it only reads, or the server knows it again by its request_id. */
export function isRepeatable(method: string, request: object): boolean {
    return READS.test(method) || Boolean((request as {requestId?: string}).requestId);
}

/** How long to wait before the next try, after `tries` of them (1: the first has failed); undefined: it is over. */
export function retryDelayMs(error: RpcError, tries: number): number | undefined {
    const delay = DELAYS_MS[tries - 1];
    if (error.code !== "unavailable" || delay === undefined) return undefined;
    const asked = error.retryAfterMs ?? 0;
    return asked > PATIENCE_MS ? undefined : Math.max(delay, asked);
}
