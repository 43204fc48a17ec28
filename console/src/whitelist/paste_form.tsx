// Adds a whole list, pasted or from a file: each line is judged while it is there, and what is not understood is named. However long it
// is, the page answers meanwhile, shows how far it is, and may be told to stop.

import type {JSX, RefObject} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import {entries as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {AreaField, CheckField, Field} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";
import {BadLines} from "./bad_lines.tsx";
import type {ListPlace} from "./place.ts";
import {useAddList} from "./use_add_list.ts";
import {usePasted} from "./use_pasted.ts";
import {Warnings} from "./warnings.tsx";

export function PasteForm({place: {draftId, onChanged}}: {place: ListPlace}): JSX.Element {
    const [text, setText] = useState("");
    const [leavesOut, setLeaveOut] = useState(false);
    const [isTried, setTried] = useState(false);
    // *Add* was pressed before all was read.
    const [isAwaited, setAwaited] = useState(false);
    const list = useAddList(draftId);
    const {pasted: {entries, bad, repeated}, isRead, share, isStopped, stop, goOn} = usePasted(text);
    const problem = bad.length > 0 && !leavesOut ? strings.fixFirst : entries.length === 0 ? strings.nothing : undefined;
    const isLong = share > 0;
    const isHeld = isLong && isStopped;
    const status = useFocusOfWhatGoes(isLong || list.isLong);
    useUnsaved(text !== "");
    useEffect(() => {
        if (!isAwaited || !isRead) return;
        setAwaited(false);
        if (problem) announce(problem);
        void add();
    }, [isAwaited, isRead]);

    function type(value: string): void {
        setText(value);
        setTried(false);
        setAwaited(false);
        list.restart();
    }
    async function add(): Promise<void> {
        setTried(true);
        if (problem) return;
        const before = list.added;
        const added = await list.run(entries);
        if (added > before) onChanged();
        if (added < entries.length) return;
        announce(strings.added(added));
        type("");
    }
    function submit(): void {
        if (isRead) return void add();
        setAwaited(true);
        goOn();
    }
    function hold(): void {
        setAwaited(false);
        if (isLong) stop();
        else list.stop();
    }
    return (
        <Form onSubmit={submit} error={list.error} actions={<>
            <Button kind="primary" type="submit" busy={list.busy || isAwaited}>{isLong ? strings.addList : strings.addAll(entries.length)}</Button>
            {(isLong || list.isLong) && <Button onClick={isHeld ? goOn : hold}>{isHeld ? strings.goOn : strings.stop}</Button>}
        </>}>
            <Warnings warnings={list.warnings} />
            <AreaField label={strings.paste} hint={strings.pasteHint} rows={8} spellcheck={false} value={text} onValue={type}
                readOnly={list.busy} error={isTried ? problem : undefined} />
            <FileField disabled={list.busy} onText={type} />
            <p role="status" ref={status} tabIndex={-1}>
                {isHeld ? strings.readingStopped(Math.round(100 * share)) : isLong ? strings.reading
                    : text !== "" && strings.counts(entries.length, bad.length, repeated.length)}
            </p>
            {isLong && <progress value={share} aria-label={strings.readingShare} />}
            {list.added > 0 && <p role="status">{strings.progress(list.added, entries.length)}</p>}
            <BadLines lines={bad} />
            {bad.length > 0 && <CheckField label={strings.leaveOut} checked={leavesOut} onChecked={setLeaveOut} />}
        </Form>
    );
}

/** For what says what became of it: takes the focus when the button that had it is gone with what it was about. */
function useFocusOfWhatGoes(isThere: boolean): RefObject<HTMLParagraphElement | null> {
    const status = useRef<HTMLParagraphElement>(null);
    const wasThere = useRef(isThere);
    useEffect(() => {
        if (wasThere.current && !isThere && document.activeElement === document.body) status.current?.focus();
        wasThere.current = isThere;
    }, [isThere]);
    return status;
}

function FileField({disabled, onText}: {disabled: boolean; onText: (text: string) => void}): JSX.Element {
    async function read(input: HTMLInputElement): Promise<void> {
        const file = input.files?.[0];
        if (file) onText(await file.text());
        input.value = "";
    }
    return (
        <Field label={strings.file}>
            {control => (
                <input type="file" accept=".txt,.csv,text/plain,text/csv" {...control} disabled={disabled}
                    onChange={event => read(event.currentTarget)} />
            )}
        </Field>
    );
}
