import assert from "node:assert/strict";
import {test} from "node:test";
import {readConnectError} from "./connect_error.ts";

const ADDRESS = {type: "google.rpc.ErrorInfo", value: "", debug: {reason: "COMPANY_IP_NOT_LISTED", metadata: {clientIp: "203.0.114.7"}}};
const FIELDS = {
    type: "google.rpc.BadRequest",
    debug: {fieldViolations: [
        {field: "allowed_ips[3]", description: "is no address"},
        {field: "allowed_ips[7]", description: "has 40 bits"},
        {field: "label", description: "is empty"},
    ]},
};

test("an error has the server's code, reason, sentence and metadata", () => {
    const error = readConnectError(403, {code: "permission_denied", message: "not from here", details: [ADDRESS]});
    assert.equal(error.code, "permission_denied");
    assert.equal(error.reason, "COMPANY_IP_NOT_LISTED");
    assert.equal(error.message, "not from here");
    assert.deepEqual(error.metadata, {clientIp: "203.0.114.7"});
});

test("violations are found by the field's JSON name, those of its elements too", () => {
    const error = readConnectError(400, {code: "invalid_argument", details: [ADDRESS, FIELDS]});
    assert.equal(error.violationOf("allowedIps"), "is no address has 40 bits");
    assert.equal(error.violationOf("label"), "is empty");
    assert.equal(error.violationOf("allowed"), undefined);
});

test("the time to wait is read from RetryInfo", () => {
    const error = readConnectError(503, {code: "unavailable", details: [{type: "google.rpc.RetryInfo", debug: {retryDelay: "1.250s"}}]});
    assert.equal(error.retryAfterMs, 1250);
});

test("what is no error of Connect's goes by its HTTP status", () => {
    for (const body of [undefined, null, "<html>", [], {code: 7, details: {}}, {details: [null, 3, {type: "google.rpc.ErrorInfo"}]}]) {
        assert.equal(readConnectError(503, body).code, "unavailable");
        assert.equal(readConnectError(401, body).code, "unauthenticated");
        assert.equal(readConnectError(418, body).code, "unknown");
    }
});
