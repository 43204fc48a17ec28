import assert from "node:assert/strict";
import {test} from "node:test";

import {formOf, updateOf} from "./role_form.ts";

const role = {roleId: "rol_1", etag: "e1", name: "support", permissions: ["refunds.create", "charges.read"]};

test("a form that was only looked at changes nothing, whatever the order of its boxes", () => {
    const base = formOf(role);
    assert.equal(updateOf(role, base, {name: " support ", permissions: ["refunds.create", "charges.read"]}), undefined);
});

test("an update names what was typed, and a role may be left without a permission", () => {
    const base = formOf(role);
    assert.equal(updateOf(role, base, {...base, name: "desk"})?.updateMask, "name");
    const update = updateOf(role, base, {...base, permissions: []});
    assert.equal(update?.updateMask, "permissions");
    assert.deepEqual(update?.role, {roleId: "rol_1", etag: "e1", name: "support", permissions: []});
});
