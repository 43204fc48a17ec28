import assert from "node:assert/strict";
import {test} from "node:test";

import {looksLikeEmail, outcomesOf, readPeople, refused} from "./people.ts";

test("people are read from lines, commas and an address book's own form", () => {
    assert.deepEqual(readPeople("ada@example.com, Bob <bob@example.com>\n\n eve+x@example.com;ADA@example.com\n"),
        ["ada@example.com", "bob@example.com", "eve+x@example.com"]);
});

test("a slip of the finger is seen", () => {
    for (const good of ["a@b.example", "a+b@localhost"]) assert(looksLikeEmail(good), good);
    for (const bad of ["a", "a@b", "@b.example", "a b@c.example", "a@b.example.", "a@@b.example"]) assert(!looksLikeEmail(bad), bad);
});

test("each person has an outcome of their own and the refused stay", () => {
    const outcomes = outcomesOf(["a@b.example", "c@d.example", "e@f.example"], [{invitation: {invitationId: "inv_1"}}, {error: {message: "is a member"}}]);
    assert.deepEqual(outcomes, [
        {email: "a@b.example", invitationId: "inv_1"}, {email: "c@d.example", error: "is a member"}, {email: "e@f.example", error: ""},
    ]);
    assert.deepEqual(refused(outcomes), ["c@d.example", "e@f.example"]);
});
