// A form that keeps what was typed when its call fails, says what failed above its buttons, and leads to the first field that is not right.

import type {ComponentChildren, JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {RpcError} from "../rpc/rpc_error.ts";
import {ErrorBox} from "./error_box.tsx";
import {useTyped} from "./typed.ts";

interface FormProps {
    onSubmit: () => void;
    error?: RpcError | undefined;
    /** Of the request: those that have a field here, which says itself what is wrong. */
    ownFields?: readonly string[];
    actions: ComponentChildren;
    children?: ComponentChildren;
}

export function Form({onSubmit, error, ownFields, actions, children}: FormProps): JSX.Element {
    const form = useRef<HTMLFormElement>(null);
    const [submits, setSubmits] = useState(0);
    const onTyped = useTyped();
    useEffect(() => { form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(); }, [submits, error]);
    function submit(event: Event): void {
        event.preventDefault();
        onSubmit();
        setSubmits(submits + 1);
    }
    return (
        <form class="form" ref={form} onInput={onTyped} onSubmit={submit}>
            {children}
            {error && <ErrorBox error={error} ownFields={ownFields} />}
            <div class="actions">{actions}</div>
        </form>
    );
}
