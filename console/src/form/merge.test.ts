import assert from "node:assert/strict";
import {test} from "node:test";

import {changedFields, clashes, rebase} from "./merge.ts";

const base = {name: "Acme", roles: ["a"], note: ""};

test("only what was typed is named in the update", () => {
    assert.deepEqual(changedFields(base, {...base}), []);
    assert.deepEqual(changedFields(base, {...base, roles: ["a", "b"]}), ["roles"]);
});

test("what both have changed is told from what only the other has", () => {
    const mine = {...base, name: "Acme Ltd"};
    const theirs = {name: "ACME", roles: ["a"], note: "moved"};
    assert.deepEqual(clashes(base, mine, theirs), [
        {field: "name", mine: "Acme Ltd", theirs: "ACME", isBoth: true},
        {field: "note", mine: "", theirs: "moved", isBoth: false},
    ]);
});

test("the same change twice is no clash to choose in", () => {
    const mine = {...base, note: "moved"};
    assert.deepEqual(clashes(base, mine, mine).map(clash => clash.isBoth), [false]);
});

test("loading anew keeps what was typed and takes the rest", () => {
    const mine = {...base, name: "Acme Ltd"};
    const theirs = {name: "ACME", roles: ["b"], note: ""};
    assert.deepEqual(rebase(base, mine, theirs), {name: "Acme Ltd", roles: ["b"], note: ""});
    assert.deepEqual(changedFields(theirs, rebase(base, mine, theirs)), ["name"]);
});
