import assert from "node:assert/strict";
import {test} from "node:test";

import {formOf, updateOf} from "./member_form.ts";

const member = {memberId: "mbr_1", etag: "e1", email: "ada@example.com", roleIds: ["rol_b", "rol_a"], allowedIps: ["10.0.0.0/8"]};

test("a form that was only looked at changes nothing, whatever the order of its boxes", () => {
    const base = formOf(member);
    assert.equal(updateOf(member, base, {...base, roleIds: ["rol_b", "rol_a"], allowedIps: " 10.0.0.0/8\n\n"}), undefined);
});

test("an update names what was typed, and a blank list clears it", () => {
    const base = formOf(member);
    const update = updateOf(member, base, {...base, displayName: " Ada ", allowedIps: ""});
    assert.equal(update?.updateMask, "displayName,allowedIps");
    assert.equal(update?.member?.displayName, "Ada");
    assert.deepEqual(update?.member?.allowedIps, []);
    assert.equal(update?.member?.etag, "e1");
});
