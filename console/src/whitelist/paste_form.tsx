// Adds a whole list, pasted or from a file: each line is judged while it is there, and what is not understood is named.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {AreaField, CheckField, Field} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";
import {BadLines} from "./bad_lines.tsx";
import {readInSlices, type Pasted} from "./paste.ts";
import type {ListPlace} from "./place.ts";
import {useAddList} from "./use_add_list.ts";
import {usePasted} from "./use_pasted.ts";
import {Warnings} from "./warnings.tsx";

export function PasteForm({place: {draftId, onChanged}}: {place: ListPlace}): JSX.Element {
    const [text, setText] = useState("");
    const [leavesOut, setLeaveOut] = useState(false);
    const [isTried, setTried] = useState(false);
    const list = useAddList(draftId);
    const {pasted, isRead, isLong} = usePasted(text);
    const {entries, bad, repeated} = pasted;
    useUnsaved(text !== "");

    function problemOf({entries, bad}: Pasted): string | undefined {
        if (bad.length > 0 && !leavesOut) return strings.fixFirst;
        return entries.length === 0 ? strings.nothing : undefined;
    }
    function type(value: string): void {
        setText(value);
        setTried(false);
        list.restart();
    }
    async function submit(): Promise<void> {
        const now = isRead ? pasted : await readInSlices(text);
        setTried(true);
        if (problemOf(now)) return;
        const before = list.added;
        const added = await list.run(now.entries);
        if (added > before) onChanged();
        if (added < now.entries.length) return;
        announce(strings.added(added));
        type("");
    }
    return (
        <Form onSubmit={submit} error={list.error}
            actions={<Button kind="primary" type="submit" busy={list.busy}>{strings.addAll(entries.length)}</Button>}>
            <Warnings warnings={list.warnings} />
            <AreaField label={strings.paste} hint={strings.pasteHint} rows={8} spellcheck={false} value={text} onValue={type}
                error={isTried ? problemOf(pasted) : undefined} />
            <FileField onText={type} />
            {text !== "" && <p role="status">{isLong ? strings.reading : strings.counts(entries.length, bad.length, repeated.length)}</p>}
            {list.added > 0 && <p role="status">{strings.progress(list.added, entries.length)}</p>}
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
    return (
        <Field label={strings.file}>
            {control => <input type="file" accept=".txt,.csv,text/plain,text/csv" {...control} onChange={event => read(event.currentTarget)} />}
        </Field>
    );
}
