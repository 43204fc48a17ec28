// An object that was edited here while somebody else changed it there: of each field there are three values, the one that editing began
// from, the one typed, and the one that the server has now. Nothing typed is lost, and nobody's change is undone unseen.

type Fields = Record<string, unknown>;

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The fields that were typed: what an update_mask names. */
export const changedFields = <T extends Fields>(base: T, mine: T): (keyof T & string)[] =>
    Object.keys(mine).filter(name => !isSame(base[name], mine[name]));

/** The fields that somebody else has changed since. */
export const theirFields = <T extends Fields>(base: T, theirs: T): (keyof T & string)[] =>
    Object.keys(base).filter(name => !isSame(base[name], theirs[name]));

export interface Clash<T> {
    field: keyof T & string;
    mine: unknown;
    theirs: unknown;
    /** True: it was typed here, too, and otherwise: somebody has to choose. */
    isBoth: boolean;
}

export function clashes<T extends Fields>(base: T, mine: T, theirs: T): Clash<T>[] {
    return theirFields(base, theirs).map(field => ({
        field,
        mine: mine[field],
        theirs: theirs[field],
        isBoth: !isSame(base[field], mine[field]) && !isSame(mine[field], theirs[field]),
    }));
}

/** What the form shows after loading anew: what was typed stays, all else is as the server has it. */
export function rebase<T extends Fields>(base: T, mine: T, theirs: T): T {
    return Object.fromEntries(Object.keys(theirs).map(name => [name, isSame(base[name], mine[name]) ? theirs[name] : mine[name]])) as T;
}
