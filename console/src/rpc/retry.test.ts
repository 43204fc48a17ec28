import assert from "node:assert/strict";
import {test} from "node:test";
import {isRepeatable, retryDelayMs} from "./retry.ts";
import {RpcError} from "./rpc_error.ts";

function failed(code: string, retryAfterMs?: number): RpcError {
    return new RpcError({code, message: "", retryAfterMs});
}

test("only what reads, and a change with a request_id, is repeated", () => {
    assert.ok(isRepeatable("ListAccessTokens", {}));
    assert.ok(isRepeatable("CreateAccessToken", {requestId: "1"}));
    assert.ok(!isRepeatable("CreateAccessToken", {}));
    assert.ok(!isRepeatable("CreateAccessToken", {requestId: ""}));
});

test("what is unavailable is tried three times, and no refusal ever", () => {
    assert.ok(retryDelayMs(failed("unavailable"), 1));
    assert.ok(retryDelayMs(failed("unavailable"), 2));
    assert.equal(retryDelayMs(failed("unavailable"), 3), undefined);
    assert.equal(retryDelayMs(failed("permission_denied"), 1), undefined);
});

test("the server's wish is followed while a person would wait for it", () => {
    assert.equal(retryDelayMs(failed("unavailable", 4000), 1), 4000);
    assert.equal(retryDelayMs(failed("unavailable", 60_000), 1), undefined);
});
