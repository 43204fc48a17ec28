import assert from "node:assert/strict";
import {test} from "node:test";

import {hexOf, isOver, nextStep} from "./walk.ts";

test("a walk goes on where the call before has ended, with its hash", () => {
    assert.deepEqual(nextStep({checked: 0}), {});
    const walk = {checked: 10, last: {nextSequence: "11", nextPreviousHash: "q80="}};
    assert(!isOver(walk));
    assert.deepEqual(nextStep(walk), {fromSequence: "11", previousHash: "q80="});
});

test("a walk is over at the head, and at the first broken link", () => {
    assert(isOver({checked: 10, last: {intact: true}}));
    assert(isOver({checked: 10, last: {brokenSequence: "7", nextSequence: "11"}}));
});

test("a hash is shown in hexadecimal", () => {
    assert.equal(hexOf("q80="), "abcd");
    assert.equal(hexOf(undefined), "");
});
