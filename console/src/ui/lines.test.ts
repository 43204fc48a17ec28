import assert from "node:assert/strict";
import {test} from "node:test";
import {badLines, splitLines} from "./lines.ts";

test("entries are parted by lines, spaces, commas and semicolons", () => {
    assert.deepEqual(splitLines(" 10.0.0.1\n\n10.0.0.2, 10.0.0.3;10.0.0.4\r\n"), ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    assert.deepEqual(splitLines(" \n"), []);
});

test("what is bad is named by its line", () => {
    const judge = (entry: string): string | undefined => entry.includes("x") ? "has an x" : undefined;
    assert.deepEqual(badLines("a\nb x\n\ncx", judge), [{line: 2, text: "x", why: "has an x"}, {line: 4, text: "cx", why: "has an x"}]);
});
