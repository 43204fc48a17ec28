// Where one is in a list whose pages are known by the token that the page before gave.

export interface Place {
    /** What the list is of. */
    key: string;
    /** Of this page; empty: the first. */
    token: string;
    /** Of the pages before it, the first one's first. */
    before: string[];
}

export function startOf(key: string): Place {
    return {key, token: "", before: []};
}

export function nextPage({key, token, before}: Place, next: string): Place {
    return {key, token: next, before: [...before, token]};
}

export function previousPage(place: Place): Place {
    const token = place.before.at(-1);
    return token === undefined ? place : {key: place.key, token, before: place.before.slice(0, -1)};
}
