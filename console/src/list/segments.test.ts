import assert from "node:assert/strict";
import {test} from "node:test";

import {heightOf, pageAt, segmentsOf} from "./segments.ts";
import {lookAt, openWindow, receive} from "./window.ts";

test("dropped pages are one block of space before and after the rows in memory", () => {
    let window = openWindow<number>(3);
    for (let page = 0; page < 10; page++) window = receive(lookAt(window, page), page, [page], String(page + 1));
    window = receive(receive(receive(lookAt(window, 5), 4, [4], "5"), 5, [5], "6"), 6, [6], "7");
    assert.deepEqual(segmentsOf(window), [
        {kind: "space", from: 0, to: 3}, {kind: "rows", page: 4}, {kind: "rows", page: 5}, {kind: "rows", page: 6},
        {kind: "space", from: 7, to: 9}, {kind: "more", page: 10},
    ]);
});

test("the page at a place is found by the heights that pages had", () => {
    const heights = [100, 0, 50];
    assert.deepEqual([0, 99, 100, 149, 150, 9999].map(y => pageAt(heights, 4, y)), [0, 0, 2, 2, 3, 3]);
    assert.equal(pageAt([], 1, 0), 0);
    assert.equal(heightOf(heights, 0, 2), 150);
});
