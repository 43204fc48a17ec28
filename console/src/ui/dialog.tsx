import type {ComponentChildren, JSX} from "preact";
import {useEffect, useId, useRef} from "preact/hooks";

interface DialogProps {
    title: string;
    class?: string;
    onClose: () => void;
    children: ComponentChildren;
}

/** Modal while it is rendered. `onClose` is asked for by Escape; the browser gives the focus back to what had it. */
export function Dialog({title, class: name, onClose, children}: DialogProps): JSX.Element {
    const dialog = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const opened = dialog.current;
        const before = document.activeElement;
        opened?.showModal();
        return () => {
            opened?.close();
            if (before instanceof HTMLElement && before.isConnected) before.focus();
        };
    }, []);
    function cancel(event: Event): void {
        event.preventDefault();
        onClose();
    }
    // A browser closes it at the second Escape, whatever was made of the first.
    function closed(): void {
        if (dialog.current?.isConnected) onClose();
    }
    return (
        <dialog ref={dialog} class={name} aria-labelledby={id} onCancel={cancel} onClose={closed}>
            <h2 id={id}>{title}</h2>
            {children}
        </dialog>
    );
}
