import assert from "node:assert/strict";
import {test} from "node:test";

import {formatPrefix} from "../ip/prefix.ts";
import {type Row, changeRows, entryOf, firstRows, isBlank, judgeRow} from "./rows.ts";

const row = (fields: Partial<Row>): Row => ({...firstRows()[0]!, ...fields});

const answer = (fields: Partial<Row>): string => {
    const judged = judgeRow(row(fields));
    return "range" in judged ? formatPrefix(judged.range) : `${judged.field}: ${judged.problem}`;
};

test("rows are added and taken away without limit, and one is always left", () => {
    let rows = firstRows();
    for (let i = 0; i < 1000; i++) rows = changeRows(rows, {kind: "add"});
    assert.equal(new Set(rows.map(each => each.key)).size, 1001);
    for (const each of [...rows]) rows = changeRows(rows, {kind: "remove", key: each.key});
    assert.equal(rows.length, 1);
    assert(isBlank(rows[0]!));
});

test("what is typed stays in its row when another one goes", () => {
    let rows = changeRows(changeRows(firstRows(), {kind: "add"}), {kind: "add"});
    rows = changeRows(rows, {kind: "set", key: rows[2]!.key, fields: {address: "10.0.0.1", note: "third"}});
    rows = changeRows(rows, {kind: "remove", key: rows[0]!.key});
    assert.deepEqual(rows.map(each => each.note), ["", "third"]);
});

test("checking bits are chosen, typed, or those of the address", () => {
    assert.equal(answer({address: " 203.0.113.77 "}), "203.0.113.77/32");
    assert.equal(answer({address: "203.0.113.77/20"}), "203.0.112.0/20");
    assert.equal(answer({address: "203.0.113.77", choice: "24"}), "203.0.113.0/24");
    assert.equal(answer({address: "2001:db8::1", choice: "free", freeBits: "48"}), "2001:db8::/48");
});

test("a problem is shown at the field that has it", () => {
    assert.equal(answer({address: "203.0.113"}), "address: NOT_FOUR_NUMBERS");
    assert.equal(answer({address: "203.0.113.7/33"}), "address: BITS_TOO_LARGE");
    assert.equal(answer({address: "203.0.113.7", choice: "free", freeBits: "33"}), "bits: BITS_TOO_LARGE");
    assert.equal(answer({address: "203.0.113.7", choice: "free", freeBits: ""}), "bits: BITS_NOT_A_NUMBER");
    assert.equal(answer({address: "203.0.113.7/24", choice: "16"}), "bits: BITS_DIFFER");
    assert.equal(answer({address: "203.0.113.7/0"}), "address: EVERYBODY");
    assert.equal(answer({address: "::", choice: "free", freeBits: "0"}), "bits: EVERYBODY");
});

test("a row becomes the entry that the server takes", () => {
    assert.deepEqual(entryOf(row({address: " 10.0.0.1 ", choice: "8", note: " Lab "})), {address: "10.0.0.1", checkingBits: 8, note: "Lab"});
    assert.deepEqual(entryOf(row({address: "10.0.0.1/8"})), {address: "10.0.0.1/8"});
});
