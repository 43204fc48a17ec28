import assert from "node:assert/strict";
import {test} from "node:test";
import {signIn} from "../strings.ts";
import {isRefusal, readRefusal} from "./refusal.ts";

test("a refusal says why, and which address was seen", () => {
    const refusal = readRefusal("COMPANY_IP_NOT_LISTED", "203.0.114.7");
    assert.match(refusal.text, /not on its whitelist/);
    assert.equal(refusal.address, "203.0.114.7");
    assert.equal(readRefusal("MEMBER_IP_NOT_LISTED", "2001:DB8::1").address, "2001:db8::1");
});

test("no words of who wrote the link are shown", () => {
    for (const reason of ["", "constructor", "toString", "__proto__", "Call 555 0100"]) {
        assert.ok(!isRefusal(reason), reason);
        assert.equal(readRefusal(reason, "").text, signIn.refusedOther);
    }
    for (const address of ["", "Call 555 0100", "203.0.114.7/24", "203.0.114.7 or call"]) assert.equal(readRefusal("X", address).address, "", address);
});
