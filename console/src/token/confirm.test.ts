import assert from "node:assert/strict";
import {test} from "node:test";
import {confirms} from "./confirm.ts";

test("the label has to be typed, spaces aside", () => {
    assert.ok(confirms("Billing  export ", "Billing export"));
    assert.ok(confirms("Caf\u0065\u0301", "Caf\u00e9"));
    for (const typed of ["", "billing export", "Billing", "Billingexport"]) assert.ok(!confirms(typed, "Billing export"), typed);
});
