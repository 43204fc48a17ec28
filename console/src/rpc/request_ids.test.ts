import assert from "node:assert/strict";
import {test} from "node:test";
import {RequestIds} from "./request_ids.ts";

function counting(): RequestIds {
    let made = 0;
    return new RequestIds(() => String(++made));
}

test("the same content has one id until it has succeeded", () => {
    const ids = counting();
    assert.equal(ids.idFor({label: "a"}), "1");
    assert.equal(ids.idFor({label: "a"}), "1");
    ids.done();
    assert.equal(ids.idFor({label: "a"}), "2");
});

test("another content has another id", () => {
    const ids = counting();
    assert.equal(ids.idFor({label: "a"}), "1");
    assert.equal(ids.idFor({label: "b"}), "2");
    assert.equal(ids.idFor({label: "a"}), "3");
});
