// Somebody else was faster: what is different now, and that nothing typed is lost.

import type {JSX} from "preact";
import type {RpcError} from "../rpc/rpc_error.ts";
import {clash as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Note} from "../ui/note.tsx";
import type {Clash} from "./merge.ts";

interface ClashNoteProps<F> {
    error: RpcError | undefined;
    clashes: Clash<F>[] | undefined;
    /** What the form calls a field, and how it shows what is in it. */
    labelOf: (field: keyof F & string) => string;
    textOf: (field: keyof F & string, value: unknown) => string;
    onLoad: () => void;
}

export const isStale = (error: RpcError | undefined): boolean => error?.reason === "ETAG_STALE";

export function ClashNote<F>({error, clashes, labelOf, textOf, onLoad}: ClashNoteProps<F>): JSX.Element | null {
    if (isStale(error)) {
        return (
            <Note tone="warn" alert>
                <p><strong>{strings.title}</strong></p>
                <Button onClick={onLoad}>{strings.loadAnew}</Button>
            </Note>
        );
    }
    if (!clashes) return null;
    const shown = (field: keyof F & string, value: unknown): string => textOf(field, value) || strings.nothingThere;
    return (
        <Note tone="warn" alert>
            <p><strong>{strings.title}</strong> {strings.kept}</p>
            {clashes.length === 0 && <p>{strings.nothing}</p>}
            <ul>
                {clashes.map(({field, mine, theirs, isBoth}) => (
                    <li key={field}>
                        {isBoth ? strings.both(labelOf(field), shown(field, theirs), shown(field, mine)) : strings.now(labelOf(field), shown(field, theirs))}
                    </li>
                ))}
            </ul>
        </Note>
    );
}
