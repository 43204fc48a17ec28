import assert from "node:assert/strict";
import {test} from "node:test";
import {fromLocalInput, toLocalInput} from "./local_input.ts";

test("a time goes into the field and back to the minute, in whatever zone", () => {
    for (const text of ["2026-11-27T02:43:00.000Z", "2027-07-01T23:59:00.000Z", "2030-01-01T00:00:00.000Z"]) {
        assert.equal(fromLocalInput(toLocalInput(text)), text);
    }
    assert.equal(toLocalInput("2026-11-27T02:43:59.999Z"), toLocalInput("2026-11-27T02:43:00Z"));
    assert.match(toLocalInput("2026-11-27T02:43:03Z"), /^2026-11-2\dT\d\d:\d\d$/);
});

test("no time is an empty field, and the other way", () => {
    assert.equal(toLocalInput(undefined), "");
    assert.equal(toLocalInput("soon"), "");
    assert.equal(fromLocalInput(""), undefined);
});
