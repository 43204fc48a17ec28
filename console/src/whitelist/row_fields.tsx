// One row of the form that adds entries.

import type {JSX} from "preact";
import {formatPrefix, sizeOf} from "../ip/prefix.ts";
import {entries as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {wordsOf} from "./problem_words.ts";
import {BITS_CHOICES, isBlank, judgeRow, type Row} from "./rows.ts";

interface RowFieldsProps {
    row: Row;
    number: number;
    /** Show what is wrong with it: somebody has tried to add it. */
    isTried: boolean;
    /** The server's words about this row's fields. */
    said: {address?: string | undefined; bits?: string | undefined; note?: string | undefined};
    onSet: (fields: Partial<Omit<Row, "key">>) => void;
    onRemove: () => void;
}

const CHOICES = BITS_CHOICES.map(value => ({value, text: strings.bitsChoices[value]}));

export function RowFields({row, number, isTried, said, onSet, onRemove}: RowFieldsProps): JSX.Element {
    const judged = judgeRow(row);
    const wrong = "problem" in judged && isTried && !isBlank(row) ? judged : undefined;
    const problemOf = (field: "address" | "bits"): string | undefined => wrong?.field === field ? wordsOf(wrong.problem) : said[field];
    return (
        <fieldset class="entry-row">
            <legend class="unseen">{strings.row(number)}</legend>
            <div class="row">
                <TextField label={strings.address} placeholder="203.0.113.0" value={row.address} onValue={address => onSet({address})} error={problemOf("address")} autocomplete="off" />
                <SelectField label={strings.bits} value={row.choice} onValue={choice => onSet({choice})} options={CHOICES}
                    error={row.choice === "free" ? undefined : problemOf("bits")} />
                {row.choice === "free" && (
                    <TextField label={strings.freeBits} value={row.freeBits} onValue={freeBits => onSet({freeBits})} error={problemOf("bits")} autocomplete="off" />
                )}
                <TextField label={strings.note} maxLength={500} value={row.note} onValue={note => onSet({note})} error={said.note} autocomplete="off" />
                <Button onClick={onRemove} aria-label={strings.removeRow(row.address.trim())} title={strings.remove}>−</Button>
            </div>
            {"range" in judged && <p class="hint">{strings.reads(formatPrefix(judged.range), sizeOf(judged.range))}</p>}
        </fieldset>
    );
}
