import assert from "node:assert/strict";
import {test} from "node:test";

import {badSpans, formOf, updateOf} from "./policy.ts";

const company = {companyId: "cmp_1", name: "Acme", etag: "e1", policy: {maxTokenLifetime: "31536000s", requireExpiry: true}};

test("an update names only what was typed, and what is blank is cleared", () => {
    const base = formOf(company);
    assert.equal(updateOf(company, base, {...base}), undefined);
    const update = updateOf(company, base, {...base, maxTokenLifetime: {amount: "", unit: "days"}, loginLifetime: {amount: "8", unit: "hours"}});
    assert.equal(update?.updateMask, "policy.maxTokenLifetime,policy.loginLifetime");
    assert.equal(update?.company?.policy?.maxTokenLifetime, undefined);
    assert.equal(update?.company?.policy?.loginLifetime, "28800s");
    assert.equal(update?.company?.etag, "e1");
});

test("a policy without words is shown as what the server takes it for", () => {
    const form = formOf({name: "Acme"});
    assert.equal(form.leakAction, "LEAK_ACTION_DEACTIVATE");
    assert.equal(form.reuseAction, "REUSE_ACTION_AUDIT");
    assert.deepEqual(badSpans(form), []);
    assert.deepEqual(badSpans({...form, loginLifetime: {amount: "soon", unit: "hours"}}), ["loginLifetime"]);
});
