import assert from "node:assert/strict";
import {test} from "node:test";

import {inSlices} from "./in_slices.ts";

/** Each step takes a millisecond of a clock that nothing else moves. */
function counted(steps: number) {
    let time = 0;
    const slices: number[] = [];
    const work = (mayGoOn: () => boolean): boolean => {
        slices.push(0);
        while (steps > 0 && mayGoOn()) {
            steps--;
            time++;
            slices[slices.length - 1]!++;
        }
        return steps === 0;
    };
    return {work, slices, now: () => time};
}

test("long work is done in slices of ten milliseconds, and others have their turn between them", async () => {
    const {work, slices, now} = counted(35);
    const said: string[] = [];
    setImmediate(() => said.push(`another after ${slices.length}`));
    await inSlices(work, {now, onSlice: () => said.push(`slice ${slices.length}`)});
    assert.deepEqual(slices, [10, 10, 10, 5]);
    assert.deepEqual(said, ["slice 1", "another after 1", "slice 2", "slice 3"]);
});

test("short work is done at once", async () => {
    const {work, slices, now} = counted(3);
    await inSlices(work, {now, onSlice: () => assert.fail()});
    assert.deepEqual(slices, [3]);
});

test("work that nobody wants any more is not gone on with", async () => {
    const {work, slices, now} = counted(35);
    const controller = new AbortController();
    await assert.rejects(inSlices(mayGoOn => { controller.abort(); return work(mayGoOn); }, {now, signal: controller.signal}), {name: "AbortError"});
    assert.equal(slices.length, 1);
});
