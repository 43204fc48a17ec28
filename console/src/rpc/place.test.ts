import assert from "node:assert/strict";
import {test} from "node:test";
import {nextPage, previousPage, startOf} from "./place.ts";

test("pages are gone through and back again", () => {
    const first = startOf("all");
    const second = nextPage(first, "t2");
    const third = nextPage(second, "t3");
    assert.deepEqual(third, {key: "all", token: "t3", before: ["", "t2"]});
    assert.deepEqual(previousPage(third), second);
    assert.deepEqual(previousPage(second), first);
});

test("before the first page there is none", () => {
    assert.deepEqual(previousPage(startOf("all")), startOf("all"));
});
