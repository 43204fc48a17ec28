// Adds entries that are typed, as many rows as one likes.

import type {JSX} from "preact";
import {useReducer, useState} from "preact/hooks";
import type {WhitelistWarning} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Form} from "../ui/form.tsx";
import type {ListPlace} from "./place.ts";
import {RowFields} from "./row_fields.tsx";
import {changeRows, entryOf, firstRows, isBlank, judgeRow} from "./rows.ts";
import {Warnings} from "./warnings.tsx";

export function AddRows({place: {draftId, onChanged}}: {place: ListPlace}): JSX.Element {
    const [rows, change] = useReducer(changeRows, undefined, firstRows);
    const [problem, setProblem] = useState<string | undefined>(undefined);
    const [isTried, setTried] = useState(false);
    const [warnings, setWarnings] = useState<readonly WhitelistWarning[]>([]);
    const add = useChange("WhitelistService", "AddWhitelistEntries");
    const filled = rows.filter(row => !isBlank(row));
    async function submit(): Promise<void> {
        setTried(true);
        setProblem(filled.length === 0 ? strings.nothing : undefined);
        if (filled.length === 0 || filled.some(row => "problem" in judgeRow(row))) return;
        const answer = await add.run({draftId, entries: filled.map(entryOf)});
        if (!answer) return;
        announce(strings.added(filled.length));
        setWarnings(answer.warnings ?? []);
        setTried(false);
        change({kind: "clear"});
        onChanged();
    }
    const saidOf = (key: number, field: string): string | undefined =>
        add.error?.violationOf(`entries[${filled.findIndex(row => row.key === key)}].${field}`);
    return (
        <Form onSubmit={submit} error={add.error} actions={<>
            <Button kind="primary" type="submit" busy={add.busy}>{strings.add}</Button>
            <Button onClick={() => change({kind: "add"})}>+ {strings.oneMore}</Button>
        </>}>
            <Warnings warnings={warnings} />
            {rows.map((row, index) => (
                <RowFields key={row.key} row={row} number={index + 1} isTried={isTried}
                    said={{address: saidOf(row.key, "address") ?? (index === 0 ? problem : undefined), bits: saidOf(row.key, "checkingBits"), note: saidOf(row.key, "note")}}
                    onSet={fields => change({kind: "set", key: row.key, fields})} onRemove={() => change({kind: "remove", key: row.key})} />
            ))}
        </Form>
    );
}
