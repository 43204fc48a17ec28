import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";

import {isProblem, parseAddress} from "./address.ts";
import {contains, formatPrefix, parsePrefix, prefixOf, sizeOf} from "./prefix.ts";

const VECTORS = "../tests/vectors/ip_prefixes.txt"; // from console/, where npm runs the tests

function readVectors(): {want: string; text: string}[] {
    const unescape = (text: string) =>
        Buffer.from(
            text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
            "latin1",
        ).toString("utf8");
    return readFileSync(VECTORS, "latin1")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => ({want: line.split("\t")[0]!, text: unescape(line.slice(line.indexOf("\t") + 1))}));
}

const answer = (text: string, bits?: number): string => {
    const parsed = parsePrefix(text, bits);
    return isProblem(parsed) ? parsed.problem : formatPrefix(parsed.value);
};

const prefix = (text: string) => {
    const parsed = parsePrefix(text);
    assert(!isProblem(parsed));
    return parsed.value;
};

const address = (text: string) => {
    const parsed = parseAddress(text);
    assert(!isProblem(parsed));
    return parsed.value;
};

test("every address of the shared vectors is read as the server reads it", () => {
    const vectors = readVectors();
    assert(vectors.length > 250);
    for (const {want, text} of vectors) assert.equal(answer(text), want, JSON.stringify(text));
});

test("checking bits in a field of their own count like those behind a slash", () => {
    assert.equal(answer("203.0.113.77", 24), "203.0.113.0/24");
    assert.equal(answer("203.0.113.77/24", 24), "203.0.113.0/24");
    assert.equal(answer("203.0.113.77/24", 16), "BITS_DIFFER");
    assert.equal(answer("203.0.113.77", 33), "BITS_TOO_LARGE");
    assert.equal(answer("2001:db8::1", 32), "2001:db8::/32");
});

test("a prefix of every width holds the addresses that share its leading bits and no others", () => {
    for (let bits = 0; bits <= 32; bits++) {
        const range = prefixOf(address("203.0.113.77"), bits);
        assert(contains(range, address("203.0.113.77")));
        const flipped = address("203.0.113.77").map((byte, i) => (Math.floor((bits - 1) / 8) === i ? byte ^ (1 << (7 - ((bits - 1) % 8))) : byte));
        assert.equal(contains(range, flipped), bits === 0, `one bit flipped, /${bits}`);
    }
});

test("an IPv6 range holds no IPv4 address", () => {
    assert(!contains(prefix("::/0"), address("1.2.3.4")));
    assert(contains(prefix("1.2.3.4"), address("::ffff:1.2.3.4")));
});

test("the size of a range is told as a number that can be read", () => {
    assert.equal(sizeOf(prefix("203.0.113.7")), "1");
    assert.equal(sizeOf(prefix("10.0.0.0/8")), "16,777,216");
    assert.equal(sizeOf(prefix("2001:db8::/32")), "2^96");
});
