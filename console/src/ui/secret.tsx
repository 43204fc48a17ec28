// A secret, shown this once: copied by a button, and gone for good when one says that it is saved.

import type {JSX} from "preact";
import {useId, useState} from "preact/hooks";
import {common, secrets} from "../strings.ts";
import {announce} from "./announce.tsx";
import {Button} from "./button.tsx";
import {Note} from "./note.tsx";
import {useSecretShown} from "./typed.ts";

export function Secret({secret, onSaved}: {secret: string; onSaved: () => void}): JSX.Element {
    const id = useId();
    const [copied, setCopied] = useState(false);
    useSecretShown();
    async function copy(): Promise<void> {
        try {
            await navigator.clipboard.writeText(secret);
            setCopied(true);
            announce(secrets.copied);
        } catch {
            announce(secrets.notCopied);
        }
    }
    return (
        <Note tone="warn">
            <p><strong>{secrets.once}</strong> {secrets.onceWhy}</p>
            <label for={id}>{secrets.label}</label>
            <input id={id} class="secret" readOnly value={secret} autocomplete="off" spellcheck={false} onFocus={event => event.currentTarget.select()} />
            <div class="actions">
                <Button onClick={copy}>{copied ? secrets.copyAgain : common.copy}</Button>
                <Button kind="primary" onClick={onSaved}>{secrets.saved}</Button>
            </div>
        </Note>
    );
}
