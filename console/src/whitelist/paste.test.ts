import assert from "node:assert/strict";
import {test} from "node:test";

import {inRuns, openPasted, readPasted} from "./paste.ts";

test("a line is an address, its bits and its note, however they are separated", () => {
    const {entries, bad} = readPasted([
        "203.0.113.7",
        "203.0.114.0/24 Office",
        "203.0.115.9,24,Berlin",
        "203.0.116.9;16;\"Lyon, second floor\"",
        "2001:db8::1\t32\tVPN",
        "198.51.100.4 # 24 hours",
        "198.51.100.5 24th floor",
    ].join("\r\n"));
    assert.deepEqual(bad, []);
    assert.deepEqual(entries.map(({cidr, note}) => [cidr, note]), [
        ["203.0.113.7/32", ""],
        ["203.0.114.0/24", "Office"],
        ["203.0.115.0/24", "Berlin"],
        ["203.0.0.0/16", "Lyon, second floor"],
        ["2001:db8::/32", "VPN"],
        ["198.51.100.4/32", "24 hours"],
        ["198.51.100.5/32", "24th floor"],
    ]);
});

test("blank lines and remarks count as lines and are nothing else", () => {
    assert.deepEqual(readPasted("\uFEFF# offices\n\n  203.0.113.7  \n").entries.map(entry => entry.line), [3]);
});

test("each bad line is named with what is wrong", () => {
    const {entries, bad} = readPasted([
        "10.0.0.1-10.0.0.9", "10.0.0.0 255.0.0.0", "10.0.0.*", "example.com", "010.0.0.1", "10.0.0.1/33", "10.0.0.1,24/8", "0.0.0.0/0", "::,0,all",
        `203.0.113.7 ${"x".repeat(501)}`, "10.0.0.1 - 10.0.0.9 office", "203.0.113.8 fine",
    ].join("\n"));
    assert.deepEqual(bad.map(({line, problem}) => [line, problem]), [
        [1, "RANGE"], [2, "NETMASK"], [3, "WILDCARD"], [4, "CHARACTER"], [5, "LEADING_ZERO"], [6, "BITS_TOO_LARGE"], [8, "EVERYBODY"], [9, "EVERYBODY"],
        [10, "NOTE_TOO_LONG"], [11, "RANGE"],
    ]);
    assert.deepEqual(entries.map(entry => entry.line), [7, 12]);
});

test("what is pasted twice is added once, whatever it looks like", () => {
    const {entries, repeated} = readPasted("10.1.2.3/8\n10.0.0.0/8\n::ffff:10.0.0.0/104\n10.0.0.0/9");
    assert.deepEqual(entries.map(entry => entry.line), [1, 4]);
    assert.deepEqual(repeated, [{line: 2, firstLine: 1}, {line: 3, firstLine: 1}]);
});

test("a long list goes in runs that leave nothing out, and none is too long or too large", () => {
    const inTwos = (all: string[]) => inRuns(all, 2, 5, each => each.length);
    assert.deepEqual(inTwos(["a", "b", "c", "d", "e"]), [["a", "b"], ["c", "d"], ["e"]]);
    assert.deepEqual(inTwos(["aaa", "bbb", "c"]), [["aaa"], ["bbb", "c"]]);
    assert.deepEqual(inTwos(["aaaaaaaa", "b"]), [["aaaaaaaa"], ["b"]]);
    assert.deepEqual(inTwos([]), []);
});

test("a list that is read a line at a time is read the same, whatever ends its lines", () => {
    for (const text of ["", "10.0.0.1", "10.0.0.1\n", "\n\n10.0.0.1\r\nx\r10.0.0.2 a\n10.0.0.1\n\n", "\r", "# none\n10.0.0.3"]) {
        const {pasted, read, share} = openPasted(text);
        let turns = 0;
        let before = 0;
        for (let may = 0; !read(() => may-- > 0); may = 1) {
            assert(++turns <= 10, text);
            assert(share() < 1 && (turns === 1 ? share() === 0 : share() > before), text);
            before = share();
        }
        assert.equal(share(), text === "" ? 0 : 1, text);
        assert.deepEqual(pasted, readPasted(text), text);
    }
    assert.deepEqual(readPasted("\r\n10.0.0.1\rx\n10.0.0.2").bad.map(({line}) => line), [3]);
    assert.deepEqual(readPasted("\r\n10.0.0.1\rx\n10.0.0.2").entries.map(({line}) => line), [2, 4]);
});
