import assert from "node:assert/strict";
import {test} from "node:test";

import {durationOfSpan, spanOf} from "./span.ts";

test("a duration is shown in the largest unit that leaves nothing over, and comes back as it was", () => {
    for (const [duration, amount, unit] of [["5400s", "90", "minutes"], ["10800s", "3", "hours"], ["86400s", "1", "days"], ["90s", "1.5", "minutes"]] as const) {
        assert.deepEqual(spanOf(duration, "days"), {amount, unit});
        assert.equal(durationOfSpan({amount, unit}), duration);
    }
});

test("blank is no bound, and the unit is the one that the field begins with", () => {
    assert.deepEqual(spanOf(undefined, "days"), {amount: "", unit: "days"});
    assert.deepEqual(spanOf("0s", "hours"), {amount: "", unit: "hours"});
    assert.equal(durationOfSpan({amount: " ", unit: "days"}), "");
});

test("what is no number above none is refused", () => {
    for (const amount of ["0", "-1", "1e3", "one", "1,5", "0.0001"]) assert.equal(durationOfSpan({amount, unit: "days"}), undefined, amount);
});
