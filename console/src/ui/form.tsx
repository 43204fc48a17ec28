// A form that keeps what was typed when its call fails, and says what failed above its buttons.

import type {ComponentChildren, JSX} from "preact";
import type {RpcError} from "../rpc/rpc_error.ts";
import {ErrorBox} from "./error_box.tsx";

interface FormProps {
    onSubmit: () => void;
    error?: RpcError | undefined;
    actions: ComponentChildren;
    children?: ComponentChildren;
}

export function Form({onSubmit, error, actions, children}: FormProps): JSX.Element {
    function submit(event: Event): void {
        event.preventDefault();
        onSubmit();
    }
    return (
        <form class="form" onSubmit={submit}>
            {children}
            {error && <ErrorBox error={error} />}
            <div class="actions">{actions}</div>
        </form>
    );
}
