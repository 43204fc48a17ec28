// A list by pages: one page is in memory, however long the list is.

import {useState} from "preact/hooks";
import {nextPage, previousPage, startOf, type Place} from "./place.ts";
import {useLoad, type Loading} from "./use_load.ts";

export interface Page<T> {
    items: T[];
    /** Empty: the last page. */
    next: string;
}

export interface Pages<T> {
    page: Loading<Page<T>>;
    /** 1 is the first. */
    number: number;
    next: (() => void) | undefined;
    previous: (() => void) | undefined;
}

// A server may give an empty page that is not the last: it looks at so many rows at a time.
const EMPTY_PAGES_MAX = 50;

async function loadSome<T>(load: (token: string, signal: AbortSignal) => Promise<Page<T>>, token: string, signal: AbortSignal): Promise<Page<T>> {
    let page = await load(token, signal);
    for (let i = 1; page.items.length === 0 && page.next !== "" && i < EMPTY_PAGES_MAX; i++) page = await load(page.next, signal);
    return page;
}

/** `key` says what the list is of, its filters; with another one it begins at its first page. */
export function usePages<T>(load: (token: string, signal: AbortSignal) => Promise<Page<T>>, key: string): Pages<T> {
    const [kept, setPlace] = useState<Place>(startOf(key));
    const place = kept.key === key ? kept : startOf(key);
    const page = useLoad(signal => loadSome(load, place.token, signal), JSON.stringify(place));
    const following = page.data?.next;
    return {
        page,
        number: place.before.length + 1,
        next: following ? () => setPlace(nextPage(place, following)) : undefined,
        previous: place.before.length > 0 ? () => setPlace(previousPage(place)) : undefined,
    };
}
