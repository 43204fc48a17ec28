import assert from "node:assert/strict";
import {test} from "node:test";

import {filterOf, filterText, isSet, NO_FILTER} from "./filter.ts";

test("a filter that is blank is none, so that nothing is deactivated by it", () => {
    assert(!isSet(NO_FILTER));
    assert(!isSet({...NO_FILTER, label: "  "}));
    assert.deepEqual(filterOf({...NO_FILTER, label: " old "}), {labelContains: "old"});
});

test("each filter that is set is named", () => {
    const filter = {label: "old", state: "TOKEN_STATE_ACTIVE" as const, memberId: "mbr_1"};
    assert.deepEqual(filterOf(filter), {labelContains: "old", state: "TOKEN_STATE_ACTIVE", memberId: "mbr_1"});
    assert.deepEqual(filterText(filter, id => id).map(([, value]) => value), ["old", "Active", "mbr_1"]);
    assert.deepEqual(filterText(NO_FILTER, id => id), []);
});
