// Adds a whole list, pasted or from a file: each line is judged while it is there, and what is not understood is named.

import type {JSX} from "preact";
import {useMemo, useState} from "preact/hooks";
import type {WhitelistWarning} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {AreaField, CheckField, Field} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {BadLines} from "./bad_lines.tsx";
import {inRuns, readPasted, type PastedEntry} from "./paste.ts";
import type {ListPlace} from "./place.ts";
import {Warnings} from "./warnings.tsx";

// Of one call, all of which is taken or none: what the method takes, and half of what a request may have by default, with each character
// of a note counted as the most that it may take.
const RUN_LENGTH = 10_000;
const RUN_BYTES = 500_000;
const ENTRY_BYTES = 80;

const sizeOf = ({address, note}: PastedEntry): number => ENTRY_BYTES + address.length + 4 * note.length;

const entryOf = ({address, bits, note}: PastedEntry) =>
    ({address, ...(bits === undefined ? {} : {checkingBits: bits}), ...(note === "" ? {} : {note})});

export function PasteForm({place: {draftId, onChanged}}: {place: ListPlace}): JSX.Element {
    const [text, setText] = useState("");
    const [leavesOut, setLeaveOut] = useState(false);
    const [isTried, setTried] = useState(false);
    const [added, setAdded] = useState(0);
    const [warnings, setWarnings] = useState<readonly WhitelistWarning[]>([]);
    const add = useChange("WhitelistService", "AddWhitelistEntries");
    const pasted = useMemo(() => readPasted(text), [text]);
    const {entries, bad, repeated} = pasted;
    const isBlocked = bad.length > 0 && !leavesOut;

    function type(value: string): void {
        setText(value);
        setAdded(0);
        setTried(false);
    }
    /** Goes on behind what is added already, so that trying again adds nothing twice. */
    async function submit(): Promise<void> {
        setTried(true);
        if (isBlocked || entries.length === 0) return;
        let done = added;
        const odd: WhitelistWarning[] = [];
        for (const run of inRuns(entries.slice(done), RUN_LENGTH, RUN_BYTES, sizeOf)) {
            const answer = await add.run({draftId, entries: run.map(entryOf)});
            if (!answer) break;
            odd.push(...answer.warnings ?? []);
            done += run.length;
            setAdded(done);
        }
        setWarnings(odd);
        if (done > added) onChanged();
        if (done < entries.length) return;
        announce(strings.added(entries.length));
        type("");
    }
    const problem = !isTried ? undefined : isBlocked ? strings.fixFirst : entries.length === 0 ? strings.nothing : undefined;
    return (
        <Form onSubmit={submit} error={add.error} actions={<Button kind="primary" type="submit" busy={add.busy}>{strings.addAll(entries.length)}</Button>}>
            <Warnings warnings={warnings} />
            <AreaField label={strings.paste} hint={strings.pasteHint} rows={8} spellcheck={false} value={text} onValue={type} error={problem} />
            <FileField onText={type} />
            {text !== "" && <p role="status">{strings.counts(entries.length, bad.length, repeated.length)}</p>}
            {added > 0 && <p role="status">{strings.progress(added, entries.length)}</p>}
            <BadLines lines={bad} />
            {bad.length > 0 && <CheckField label={strings.leaveOut} checked={leavesOut} onChecked={setLeaveOut} />}
        </Form>
    );
}

function FileField({onText}: {onText: (text: string) => void}): JSX.Element {
    async function read(input: HTMLInputElement): Promise<void> {
        const file = input.files?.[0];
        if (file) onText(await file.text());
        input.value = "";
    }
    return <Field label={strings.file}>{control => <input type="file" accept=".txt,.csv,text/plain,text/csv" {...control} onChange={event => read(event.currentTarget)} />}</Field>;
}
