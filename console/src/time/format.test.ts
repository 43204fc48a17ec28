import assert from "node:assert/strict";
import {test} from "node:test";
import {durationMs, durationOfSeconds} from "./duration.ts";
import {localTime, utcTime} from "./format.ts";

const INSTANT = "2026-11-27T02:43:03.250Z";

test("a time is shown in the viewer's zone", () => {
    assert.equal(localTime(INSTANT, "en-GB", "Asia/Tokyo"), "27 Nov 2026, 11:43");
    assert.equal(localTime(INSTANT, "en-GB", "America/New_York"), "26 Nov 2026, 21:43");
});

test("UTC is the same everywhere", () => {
    assert.equal(utcTime(INSTANT), "2026-11-27 02:43:03 UTC");
});

test("what is no time is left as it is", () => {
    assert.equal(localTime("soon"), "soon");
    assert.equal(utcTime(""), "");
});

test("durations are protobuf's", () => {
    assert.equal(durationMs("1.250s"), 1250);
    assert.equal(durationMs("0s"), 0);
    for (const text of [undefined, "", "s", "1", "1m", "1s "]) assert.equal(durationMs(text), undefined);
    assert.equal(durationOfSeconds(5400), "5400s");
});
