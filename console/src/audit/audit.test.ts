import assert from "node:assert/strict";
import {test} from "node:test";

import {changesOf} from "./changes.ts";
import {NO_FILTERS, filtersOf, queryOf, requestOf} from "./filters.ts";

test("an event is told field by field, with what was and what is", () => {
    assert.deepEqual(changesOf('{"label":"a","ips":["10.0.0.0/8"],"same":1}', '{"label":"b","same":1,"note":"new"}'), [
        {field: "label", before: "a", after: "b"}, {field: "ips", before: '["10.0.0.0/8"]'}, {field: "note", after: "new"},
    ]);
});

test("what is in an object in the object is told by itself", () => {
    assert.deepEqual(changesOf('{"policy":{"login_lifetime":null,"require_expiry":true}}', '{"policy":{"login_lifetime":"28800s","require_expiry":true}}'),
        [{field: "policy.login_lifetime", after: "28800s"}]);
});

test("an object that came or went, or words that are no JSON, are no trouble", () => {
    assert.deepEqual(changesOf("", '{"label":"b"}'), [{field: "label", after: "b"}]);
    assert.deepEqual(changesOf("[1]", "nonsense"), []);
    assert.deepEqual(changesOf(undefined, undefined), []);
});

test("filters stand in the address bar and come back from it", () => {
    const filters = {...NO_FILTERS, action: "token.*", since: "2026-11-01"};
    assert.equal(queryOf(filters), "?since=2026-11-01&action=token.*");
    assert.deepEqual(filtersOf(new URLSearchParams(queryOf(filters))), filters);
    assert.equal(queryOf(NO_FILTERS), "");
});

test("the last day is asked for to its end, and what is no day not at all", () => {
    const {since, until} = requestOf({...NO_FILTERS, since: "2026-11-02", until: "2026-11-02"});
    assert.equal(Date.parse(until!) - Date.parse(since!), 86_400_000);
    assert.deepEqual(requestOf({...NO_FILTERS, since: "soon"}), {});
});
