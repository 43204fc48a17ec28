import assert from "node:assert/strict";
import {test} from "node:test";
import {isOwnPath, matchPath} from "./path.ts";

test("a pattern names the parts of a path", () => {
    assert.deepEqual(matchPath("/tokens/:id", "/tokens/tok_1"), {id: "tok_1"});
    assert.deepEqual(matchPath("/tokens/:id", "/tokens/a%20b"), {id: "a b"});
    assert.deepEqual(matchPath("/tokens/:id", "/tokens/%E0%A4"), {id: "%E0%A4"});
    assert.deepEqual(matchPath("/tokens", "/tokens"), {});
});

test("another path is not matched", () => {
    for (const path of ["/tokens", "/tokens/", "/tokens/a/b", "/users/a", "tokens/a", ""]) {
        assert.equal(matchPath("/tokens/:id", path), null, path);
    }
});

test("only paths of the page's own origin are gone back to", () => {
    for (const path of ["/", "/tokens", "/tokens?state=x&label=y%20z"]) assert.ok(isOwnPath(path), path);
    for (const path of ["", "tokens", "//evil.example", "/\\evil.example", "https://evil.example", "/a\\b", "/a\tb", "/ü", "javascript:alert(1)"]) {
        assert.ok(!isOwnPath(path), path);
    }
});
