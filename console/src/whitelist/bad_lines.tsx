import type {JSX} from "preact";
import {entries as strings} from "../strings.ts";
import {Table, type Column} from "../ui/table.tsx";
import type {BadLine} from "./paste.ts";
import {wordsOf} from "./problem_words.ts";

const SHOWN_MAX = 20;
const TEXT_MAX = 80;

const COLUMNS: Column<BadLine>[] = [
    {title: strings.line, cell: ({line}) => line},
    {title: strings.text, cell: ({text}) => <code>{text.slice(0, TEXT_MAX)}</code>},
    {title: strings.why, cell: ({problem}) => wordsOf(problem)},
];

/** The lines of a pasted list that are not understood. */
export function BadLines({lines}: {lines: readonly BadLine[]}): JSX.Element | null {
    if (lines.length === 0) return null;
    return (
        <div>
            <Table caption={strings.badLines} columns={COLUMNS} rows={lines.slice(0, SHOWN_MAX)} keyOf={({line}) => String(line)} />
            {lines.length > SHOWN_MAX && <p class="hint">{strings.moreBad(lines.length - SHOWN_MAX)}</p>}
        </div>
    );
}
