// Adds entries that are typed, as many rows as one likes.

import type {JSX, RefObject} from "preact";
import {useEffect, useReducer, useRef, useState} from "preact/hooks";
import type {WhitelistWarning} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Form} from "../ui/form.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";
import type {ListPlace} from "./place.ts";
import {RowFields, type Said} from "./row_fields.tsx";
import {changeRows, entryOf, firstRows, isBlank, judgeRow, type Row} from "./rows.ts";
import {Warnings} from "./warnings.tsx";

/** A row that comes is typed into; when one goes, what had the focus is gone with it. */
function useLastFocused(count: number): RefObject<HTMLDivElement | null> {
    const fields = useRef<HTMLDivElement>(null);
    const before = useRef(count);
    useEffect(() => {
        if (before.current !== count) fields.current?.querySelector<HTMLInputElement>(":scope > :last-child input")?.focus();
        before.current = count;
    }, [count]);
    return fields;
}

export function AddRows({place: {draftId, onChanged}}: {place: ListPlace}): JSX.Element {
    const [rows, change] = useReducer(changeRows, undefined, firstRows);
    const [isTried, setTried] = useState(false);
    const [warnings, setWarnings] = useState<readonly WhitelistWarning[]>([]);
    const add = useChange("WhitelistService", "AddWhitelistEntries");
    const fields = useLastFocused(rows.length);
    const filled = rows.filter(row => !isBlank(row));
    useUnsaved(filled.length > 0);
    async function submit(): Promise<void> {
        setTried(true);
        if (filled.length === 0 || filled.some(row => "problem" in judgeRow(row))) return;
        const answer = await add.run({draftId, entries: filled.map(entryOf)});
        if (!answer) return;
        announce(strings.added(filled.length));
        setWarnings(answer.warnings ?? []);
        setTried(false);
        change({kind: "clear"});
        onChanged();
    }
    // The server counts the rows that were sent.
    function saidOf(row: Row, isFirst: boolean): Said {
        const path = `entries[${filled.indexOf(row)}]`;
        const of = (field: string): string | undefined => add.error?.violationOf(`${path}.${field}`);
        return {address: of("address") ?? (isFirst && isTried && filled.length === 0 ? strings.nothing : undefined), bits: of("checkingBits"), note: of("note")};
    }
    return (
        <Form onSubmit={submit} error={add.error} ownFields={["entries"]} actions={<>
            <Button kind="primary" type="submit" busy={add.busy}>{strings.add}</Button>
            <Button onClick={() => change({kind: "add"})}>+ {strings.oneMore}</Button>
        </>}>
            <Warnings warnings={warnings} />
            <div class="stack" ref={fields}>
                {rows.map((row, index) => (
                    <RowFields key={row.key} row={row} number={index + 1} isTried={isTried} said={saidOf(row, index === 0)}
                        onSet={fields => change({kind: "set", key: row.key, fields})} onRemove={() => change({kind: "remove", key: row.key})} />
                ))}
            </div>
        </Form>
    );
}
