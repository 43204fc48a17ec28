// Against a real HTTP server, which may drop what it is asked.

import assert from "node:assert/strict";
import {createServer, type IncomingMessage, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {test} from "node:test";
import {call, setOnSessionOver} from "./call.ts";
import {setCaller, setOnCallerMissing, setOnOtherCaller} from "./caller.ts";
import {RpcError} from "./rpc_error.ts";

interface Asked {
    path: string | undefined;
    caller?: unknown;
    body: Record<string, unknown>;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const drop: Answer = (_, request) => request.socket.destroy();
const say = (status: number, body: string): Answer => response => response.writeHead(status, {"content-type": "application/json"}).end(body);
const refusal = (code: string, reason: string): string => JSON.stringify({code, details: [{type: "google.rpc.ErrorInfo", debug: {reason}}]});

// A page's paths are relative to its own origin; Node has none.
const fetchOfNode = globalThis.fetch;

/** Runs `ask` against a server that gives these answers in turn, the last one over and over. */
async function against(answers: Answer[], ask: () => Promise<void>): Promise<Asked[]> {
    const asked: Asked[] = [];
    const server = createServer(async (request, response) => {
        let text = "";
        for await (const part of request) text += String(part);
        const caller = request.headers["latchkey-caller"];
        asked.push({path: request.url, body: JSON.parse(text), ...(caller !== undefined && {caller})});
        answers[Math.min(asked.length, answers.length) - 1]?.(response, request);
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    globalThis.fetch = (path, init) => fetchOfNode(new URL(String(path), origin), init);
    try {
        await ask();
    } finally {
        globalThis.fetch = fetchOfNode;
        server.closeAllConnections();
        await new Promise(resolve => server.close(resolve));
    }
    return asked;
}

function failsWith(code: string, reason: string): (error: unknown) => boolean {
    return error => error instanceof RpcError && error.code === code && error.reason === reason;
}

test("a call goes to its method's path and gives its answer", async () => {
    const asked = await against([say(200, '{"caller": {"email": "a@b.example"}}')], async () => {
        assert.equal((await call("TokenService", "GetCaller", {})).caller?.email, "a@b.example");
    });
    assert.deepEqual(asked, [{path: "/latchkey.v1.TokenService/GetCaller", body: {}}]);
});

test("a change whose connection is lost is made again under the same request_id", async () => {
    const request = {label: "x", requestId: "f5f7a2f8-0d4c-4a5c-9d5b-0a7f5b1f4a11"};
    const asked = await against([drop, say(503, "{}"), say(200, '{"secret": "s"}')], async () => {
        assert.equal((await call("TokenService", "CreateAccessToken", request)).secret, "s");
    });
    assert.deepEqual(asked.map(({body}) => body), [request, request, request]);
});

test("a change without request_id is never made again", async () => {
    const asked = await against([drop], async () => {
        await assert.rejects(call("TokenService", "CreateAccessToken", {label: "x"}), failsWith("unavailable", "NETWORK"));
    });
    assert.equal(asked.length, 1);
});

test("a refusal is not asked for twice, and the end of the session is told", async () => {
    let over = 0;
    setOnSessionOver(() => { over++; });
    const asked = await against([say(401, refusal("unauthenticated", "EXPIRED"))], async () => {
        await assert.rejects(call("TokenService", "GetCaller", {}), failsWith("unauthenticated", "EXPIRED"));
    });
    assert.equal(asked.length, 1);
    assert.equal(over, 1);
});

test("that the server does not see for whom the page is, is told, and is not the end of the session", async () => {
    let missing = 0, over = 0;
    setOnCallerMissing(() => { missing++; });
    setOnSessionOver(() => { over++; });
    const asked = await against([say(400, refusal("failed_precondition", "CALLER_MISSING"))], async () => {
        await assert.rejects(call("MemberService", "ListMembers", {}), failsWith("failed_precondition", "CALLER_MISSING"));
    });
    assert.deepEqual([asked.length, missing, over], [1, 1, 0]);
});

test("who does not want the answer any more is not told one", async () => {
    const controller = new AbortController();
    await against([() => controller.abort()], async () => {
        await assert.rejects(call("TokenService", "GetCaller", {}, {signal: controller.signal}), {name: "AbortError"});
    });
});

test("an answer that does not come in time is a failure of the server, not the end of the page's own wish", async () => {
    await against([() => {}], async () => {
        const request = {label: "x"};
        await assert.rejects(call("TokenService", "CreateAccessToken", request, {timeoutMs: 50}), failsWith("unavailable", "TIMEOUT"));
    });
});

// The last one: for whom a page is, it is until it is loaded anew.
test("once the page knows for whom it is, each request says so, and what is somebody else's is told and not asked for again", async () => {
    let other = 0;
    setOnOtherCaller(() => { other++; });
    const isMismatch = failsWith("permission_denied", "CALLER_MISMATCH");
    const ask = (): Promise<unknown> => call("TokenService", "GetCaller", {});
    const asked = await against([say(200, "{}"), say(200, "{}"), say(403, refusal("permission_denied", "CALLER_MISMATCH"))], async () => {
        for (const caller of [{}, {memberId: "mbr_1", tokenId: "tok_1"}]) {
            setCaller(caller);
            await ask();
        }
        setCaller({memberId: "mbr_1", tokenId: "tok_2"});
        assert.equal(other, 0);
        for (const caller of [{memberId: "mbr_2", tokenId: "tok_1"}, {memberId: "", tokenId: "tok_1"}, {}])
            assert.throws(() => setCaller(caller), isMismatch);
        assert.equal(other, 3);
        await assert.rejects(ask(), isMismatch);
    });
    assert.deepEqual(asked.map(({caller}) => caller), [undefined, "mbr_1", "mbr_1"]);
    assert.equal(other, 4);
});
