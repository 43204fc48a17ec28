import assert from "node:assert/strict";
import {test} from "node:test";
import {judgeDomain} from "./domain.ts";
import {EMPTY_FORM, problemsOf, requestOf} from "./new_token_form.ts";

const FORM = {...EMPTY_FORM, label: " Billing "};

test("a blank expiry is none at all", () => {
    assert.equal("expireIn" in requestOf(FORM), false);
});

test("an expiry is counted in its unit", () => {
    assert.equal(requestOf({...FORM, expiresIn: "2", unit: "weeks"}).expireIn, "1209600s");
    assert.equal(requestOf({...FORM, expiresIn: " 36 ", unit: "hours"}).expireIn, "129600s");
});

test("domains count in a browser only", () => {
    const form = {...FORM, domains: "app.example.com\n*.example.org"};
    assert.equal("allowedDomains" in requestOf(form), false);
    assert.deepEqual(requestOf({...form, isForUi: true}).allowedDomains, ["app.example.com", "*.example.org"]);
    assert.deepEqual(requestOf({...form, isForUi: true}).channels, ["CHANNEL_API", "CHANNEL_UI"]);
});

test("the form says what is missing and what is wrong, by field", () => {
    assert.deepEqual(problemsOf(FORM), {});
    const bad = {...EMPTY_FORM, isForApi: false, expiresIn: "-1", ips: "203.0.113.300"};
    assert.deepEqual(Object.keys(problemsOf(bad)).sort(), ["allowedIps", "channels", "expireIn", "label"]);
    for (const expiresIn of ["0", "1.5", "x", "1e3", "9999999"]) assert.ok(problemsOf({...FORM, expiresIn}).expireIn, expiresIn);
});

test("domains are names, with a star for all below", () => {
    for (const text of ["app.example.com", "*.example.com", "localhost", "bücher.example", "xn--bcher-kva.example"]) {
        assert.equal(judgeDomain(text), undefined, text);
    }
    for (const text of ["https://app.example.com", "a..b", "-a.example", "*", "a.*.example", "app.example.com:8443", "a_b.example", `${"a".repeat(64)}.b`]) {
        assert.ok(judgeDomain(text), text);
    }
});
