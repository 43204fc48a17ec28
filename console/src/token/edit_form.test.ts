import assert from "node:assert/strict";
import {test} from "node:test";
import {editFormOf, updateOf} from "./edit_form.ts";

const TOKEN = {
    tokenId: "tok_1", etag: "7", label: "Billing", permissions: ["refunds.create", "charges.create"], expiresAt: "2027-01-01T10:00:30Z",
    allowedIps: ["203.0.113.0/24"],
};
const BASE = editFormOf(TOKEN);

test("a form that was only looked at changes nothing", () => {
    assert.equal(updateOf(TOKEN, BASE, {...BASE, label: " Billing ", allowedIps: "203.0.113.0/24\n"}), undefined);
});

test("an update names what was typed, and keeps to the token's etag", () => {
    const update = updateOf(TOKEN, BASE, {...BASE, allowedIps: "203.0.113.0/24, 198.51.100.7"});
    assert.equal(update?.updateMask, "allowedIps");
    assert.deepEqual(update?.accessToken?.allowedIps, ["203.0.113.0/24", "198.51.100.7"]);
    assert.equal(update?.accessToken?.etag, "7");
});

test("a blank expiry clears it", () => {
    const update = updateOf(TOKEN, BASE, {...BASE, expiresAt: ""});
    assert.equal(update?.updateMask, "expiresAt");
    assert.equal(update?.accessToken && "expiresAt" in update.accessToken, false);
});
