import assert from "node:assert/strict";
import {test} from "node:test";

import {clockText, reachedMark, secondsLeft} from "./countdown.ts";

test("the seconds that are left never go below none", () => {
    const until = "2026-11-27T03:00:00Z";
    assert.equal(secondsLeft(until, Date.parse("2026-11-27T02:59:58.500Z")), 2);
    assert.equal(secondsLeft(until, Date.parse("2026-11-27T03:00:00.001Z")), 0);
});

test("time is told with as many parts as it has", () => {
    assert.equal(clockText(0), "0:00");
    assert.equal(clockText(65), "1:05");
    assert.equal(clockText(3 * 3600 + 245), "3:04:05");
    assert.equal(clockText(2 * 86_400 + 3 * 3600 + 245), "2 d 03:04:05");
});

test("a mark is read out once, also where seconds were missed", () => {
    assert.equal(reachedMark(61, 60), 60);
    assert.equal(reachedMark(60, 59), undefined);
    assert.equal(reachedMark(80, 40), 60);
});
