import assert from "node:assert/strict";
import {test} from "node:test";

import {type ListWindow, lookAt, missing, openWindow, receive, removeRows, replaceRow, rowsBefore} from "./window.ts";

const KEEP = 5;
const PAGE = 100;
const TOTAL = 1_000_000;

/** What a server with so many rows answers. */
function answer(token: string): {rows: number[]; next: string} {
    const first = token === "" ? 0 : Number(token);
    const rows = Array.from({length: Math.min(PAGE, TOTAL - first)}, (_, i) => first + i);
    return {rows, next: first + PAGE < TOTAL ? String(first + PAGE) : ""};
}

function fill(window: ListWindow<number>): ListWindow<number> {
    for (const index of missing(window)) {
        const {rows, next} = answer(window.pages[index]!.token);
        window = receive(window, index, rows, next);
    }
    return window;
}

const held = (window: ListWindow<number>) => window.pages.filter(page => page.rows).length;

test("a million rows are looked through with a few pages in memory", () => {
    let window = fill(openWindow<number>(KEEP));
    for (let page = 1; page < 400; page++) {
        window = fill(lookAt(window, page));
        assert.deepEqual(window.pages[page]!.rows![0], page * PAGE);
        assert(held(window) <= KEEP);
    }
    assert.equal(rowsBefore(window, 399), 39_900);
});

test("the way back asks again for what was dropped, by its token", () => {
    let window = openWindow<number>(KEEP);
    for (let page = 0; page < 20; page++) window = fill(lookAt(window, page));
    assert.equal(window.pages[0]!.rows, undefined);
    window = lookAt(window, 0);
    assert.deepEqual(missing(window).slice(0, 2), [0, 1]);
    assert.equal(fill(window).pages[0]!.rows![0], 0);
});

test("the last page ends the list", () => {
    let window = receive(openWindow<string>(KEEP), 0, ["a"], "t");
    assert(!window.isWhole);
    window = receive(window, 1, [], "");
    assert(window.isWhole);
    assert.deepEqual(missing(window), []);
});

test("an answer for a page that a new list does not have changes nothing", () => {
    const window = openWindow<string>(KEEP);
    assert.equal(receive(window, 3, ["a"], ""), window);
});

test("rows that are removed or changed are so at once", () => {
    let window = receive(openWindow<string>(KEEP), 0, ["a", "b", "c"], "");
    window = removeRows(window, row => row === "b");
    assert.deepEqual(window.pages[0]!.rows, ["a", "c"]);
    assert.equal(rowsBefore(window, 1), 2);
    assert.deepEqual(replaceRow(window, row => row === "c", "C").pages[0]!.rows, ["a", "C"]);
});
