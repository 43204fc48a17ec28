// A form over an object of the server's: what was loaded, what is typed, and what came between.

import {useState} from "preact/hooks";
import {clashes, rebase, type Clash} from "./merge.ts";

export interface Edited<F> {
    base: F;
    form: F;
    set: (fields: Partial<F>) => void;
    /** What somebody else has changed meanwhile; undefined: not looked at. */
    clashes: Clash<F>[] | undefined;
    /** Loaded anew: what was typed stays. */
    rebase: (theirs: F) => void;
    /** Saved: the form is as the server has it. */
    settle: (saved: F) => void;
}

export function useEdited<F extends Record<string, unknown>>(loaded: F): Edited<F> {
    const [{base, form, found}, become] = useState<{base: F; form: F; found?: Clash<F>[]}>({base: loaded, form: loaded});
    return {
        base,
        form,
        set: fields => become(now => ({...now, form: {...now.form, ...fields}})),
        clashes: found,
        rebase: theirs => become(now => ({base: theirs, form: rebase(now.base, now.form, theirs), found: clashes(now.base, now.form, theirs)})),
        settle: saved => become({base: saved, form: saved}),
    };
}
