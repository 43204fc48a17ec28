import assert from "node:assert/strict";
import {test} from "node:test";
import {choose, findPermissions, groupPermissions, strangersIn} from "./groups.ts";

const CATALOGUE = [
    {name: "charges.create", description: "Take money"},
    {name: "charges.read"},
    {name: "latchkey.tokens.manage"},
    {name: "refunds.create"},
];

test("permissions stand by resource, Latchkey's own last", () => {
    const groups = groupPermissions(CATALOGUE, []);
    assert.deepEqual(groups.map(({wildcard}) => wildcard), ["charges.*", "refunds.*", "latchkey.tokens.*"]);
    assert.deepEqual(groups[0]?.items.map(({name}) => name), ["charges.create", "charges.read"]);
});

test("what the caller does not hold is marked, and its group with it", () => {
    const [charges, refunds] = groupPermissions(CATALOGUE, ["charges.create", "refunds.create"]);
    assert.deepEqual(charges?.items.map(({isHeld}) => isHeld), [true, false]);
    assert.equal(charges?.isHeld, false);
    assert.equal(refunds?.isHeld, true);
});

test("a permission is found by its name or its description, in any case", () => {
    const groups = groupPermissions(CATALOGUE, []);
    assert.deepEqual(findPermissions(groups, " MONEY ").flatMap(({items}) => items.map(({name}) => name)), ["charges.create"]);
    assert.deepEqual(findPermissions(groups, "latchkey").map(({resource}) => resource), ["latchkey.tokens"]);
    assert.equal(findPermissions(groups, "").length, 3);
});

test("a group takes the place of its names, and of no others", () => {
    const names = ["charges.create", "charges.extra.read", "refunds.create"];
    assert.deepEqual(choose(names, "charges.*", true), ["charges.*", "charges.extra.read", "refunds.create"]);
    assert.deepEqual(choose(["charges.*"], "charges.*", false), []);
    assert.deepEqual(choose(["b.c"], "a.b", true), ["a.b", "b.c"]);
});

test("what a token has besides the catalogue is not hidden", () => {
    assert.deepEqual(strangersIn(["charges.*", "charges.read", "gone.*", "gone.read"], groupPermissions(CATALOGUE, [])), ["gone.*", "gone.read"]);
});
