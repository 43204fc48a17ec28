// A long list, of which only some pages are in memory: around what is looked at. Pages are reached by the token of the one before, so
// tokens of all pages seen so far are kept (a few bytes each), and the rows of at most `keep` of them.
//
//    pages:   0    1    2  [ 3    4    5 ]  6    not seen
//             token only     rows in memory  token only
//
// Pure: what happens to it returns a new window.

export interface Page<Row> {
    /** Absent: dropped, or not yet here. */
    rows?: readonly Row[];
    /** "" for the first page. */
    token: string;
    /** How many rows it had when it was last here; 0 before. */
    count: number;
}

export interface ListWindow<Row> {
    pages: readonly Page<Row>[];
    /** The page in the middle of what is looked at. */
    centre: number;
    keep: number;
    isWhole: boolean;
}

export const openWindow = <Row>(keep: number): ListWindow<Row> => ({pages: [{token: "", count: 0}], centre: 0, keep, isWhole: false});

const isNear = (window: ListWindow<unknown>, index: number): boolean => Math.abs(index - window.centre) <= Math.floor(window.keep / 2);

function dropFar<Row>(window: ListWindow<Row>): ListWindow<Row> {
    return {
        ...window,
        pages: window.pages.map((page, index) => page.rows && !isNear(window, index) ? {token: page.token, count: page.count} : page),
    };
}

/** What the server answered for the page at `index`. */
export function receive<Row>(window: ListWindow<Row>, index: number, rows: readonly Row[], nextToken: string): ListWindow<Row> {
    const page = window.pages[index];
    if (!page) return window;
    const pages = window.pages.map(each => each === page ? {token: page.token, rows, count: rows.length} : each);
    const isLast = index === window.pages.length - 1;
    if (!isLast) return dropFar({...window, pages});
    return dropFar(nextToken === "" ? {...window, pages, isWhole: true} : {...window, pages: [...pages, {token: nextToken, count: 0}]});
}

/** Somebody looks at that page now. */
export const lookAt = <Row>(window: ListWindow<Row>, index: number): ListWindow<Row> =>
    index === window.centre || index < 0 || index >= window.pages.length ? window : dropFar({...window, centre: index});

/** The pages to ask for, those looked at first. */
export function missing(window: ListWindow<unknown>): number[] {
    return window.pages.map((page, index) => ({page, index}))
        .filter(({page, index}) => !page.rows && isNear(window, index))
        .sort((a, b) => Math.abs(a.index - window.centre) - Math.abs(b.index - window.centre))
        .map(({index}) => index);
}

/** Rows before the page, for `aria-rowindex` and for the space that stands for what was dropped. */
export const rowsBefore = (window: ListWindow<unknown>, index: number): number =>
    window.pages.slice(0, index).reduce((sum, page) => sum + page.count, 0);

/** Rows that have gone, wherever they stand. */
export function removeRows<Row>(window: ListWindow<Row>, isGone: (row: Row) => boolean): ListWindow<Row> {
    const pages = window.pages.map(page => {
        const rows = page.rows?.filter(row => !isGone(row));
        return rows && rows.length !== page.count ? {...page, rows, count: rows.length} : page;
    });
    return {...window, pages};
}

export function replaceRow<Row>(window: ListWindow<Row>, isIt: (row: Row) => boolean, by: Row): ListWindow<Row> {
    const pages = window.pages.map(page => page.rows?.some(isIt) ? {...page, rows: page.rows.map(row => isIt(row) ? by : row)} : page);
    return {...window, pages};
}
