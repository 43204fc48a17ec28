import assert from "node:assert/strict";
import {test} from "node:test";

import {areBits, formOf, localInput, updateOf} from "./entry_form.ts";
import {stateOf} from "./entry_state.ts";

const entry = {entryId: "ent_1", etag: "e1", address: "203.0.113.0/24", checkingBits: 24, note: "Office", expiresAt: "2026-12-01T09:30:00Z"};

test("an update names what was typed, and blank clears", () => {
    const base = formOf(entry);
    assert.equal(updateOf(entry, base, {...base}), undefined);
    const update = updateOf(entry, base, {...base, note: "", expiresAt: ""});
    assert.equal(update?.updateMask, "note,expiresAt");
    assert.equal(update?.entry?.note, "");
    assert.equal(update?.entry?.expiresAt, undefined);
    assert.equal(update?.entry?.checkingBits, undefined);
});

test("bits are sent only where they were typed", () => {
    const base = formOf(entry);
    assert.equal(updateOf(entry, base, {...base, checkingBits: "16"})?.entry?.checkingBits, 16);
    for (const bad of ["", "-1", "129", "8.5", "x"]) assert(!areBits(bad), bad);
});

test("a time goes through the form and back to the minute", () => {
    assert.equal(new Date(localInput(entry.expiresAt)).getTime(), Date.parse(entry.expiresAt));
    assert.equal(localInput(undefined), "");
});

test("an entry lets nobody in once it is off or over", () => {
    const before = Date.parse(entry.expiresAt) - 1;
    assert.equal(stateOf(entry, before), "on");
    assert.equal(stateOf(entry, before + 1), "expired");
    assert.equal(stateOf({...entry, disabled: true}, before), "disabled");
    assert.equal(stateOf({}, before), "on");
});
