// What stands in the document of a long list: the rows in memory, and one block of space for each run of pages that were dropped. Heights
// are those that the pages had when they were shown.

import type {ListWindow} from "./window.ts";

export type Segment =
    | {kind: "rows"; page: number}
    | {kind: "space"; from: number; to: number}
    /** Not seen yet. */
    | {kind: "more"; page: number};

export function segmentsOf({pages, isWhole}: ListWindow<unknown>): Segment[] {
    const segments: Segment[] = [];
    pages.forEach((page, index) => {
        const last = segments.at(-1);
        if (page.rows) segments.push({kind: "rows", page: index});
        else if (index === pages.length - 1 && !isWhole) segments.push({kind: "more", page: index});
        else if (last?.kind === "space") last.to = index;
        else segments.push({kind: "space", from: index, to: index});
    });
    return segments;
}

export const heightOf = (heights: readonly number[], from: number, to: number): number =>
    heights.slice(from, to + 1).reduce((sum, height) => sum + (height ?? 0), 0);

/** The page at so many pixels from the list's beginning; the last one beyond its end. */
export function pageAt(heights: readonly number[], pageCount: number, y: number): number {
    let bottom = 0;
    for (let page = 0; page < pageCount; page++) {
        bottom += heights[page] ?? 0;
        if (y < bottom) return page;
    }
    return Math.max(0, pageCount - 1);
}
