import assert from "node:assert/strict";
import {test} from "node:test";
import {keepReturn, takeReturn} from "./return_to.ts";

class Memory {
    private text: string | null = null;
    getItem(): string | null { return this.text; }
    setItem(_: string, text: string): void { this.text = text; }
    removeItem(): void { this.text = null; }
}

const MINUTE = 60_000;

test("one comes back to where one was, once", () => {
    const store = new Memory();
    keepReturn("/audit?actor=x", 0, store);
    assert.equal(takeReturn(MINUTE, store), "/audit?actor=x");
    assert.equal(takeReturn(MINUTE, store), "/tokens");
});

test("after half an hour it is forgotten", () => {
    const store = new Memory();
    keepReturn("/audit", 0, store);
    assert.equal(takeReturn(30 * MINUTE, store), "/tokens");
});

test("another site is never gone back to, nor what is no entry", () => {
    const store = new Memory();
    for (const text of ['{"path":"//evil.example","at":0}', "{", "[]", "7", '{"path":3,"at":0}', '{"path":"/a"}']) {
        store.setItem("", text);
        assert.equal(takeReturn(MINUTE, store), "/tokens", text);
    }
    keepReturn("//evil.example", 0, store);
    assert.equal(store.getItem(), null);
});
