import type {ComponentChildren, JSX} from "preact";
import {useEffect, useId, useRef} from "preact/hooks";

/** Modal while it is rendered. `onClose` is asked for by Escape; the browser gives the focus back to what had it. */
export function Dialog({title, onClose, children}: {title: string; onClose: () => void; children: ComponentChildren}): JSX.Element {
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
    return (
        <dialog ref={dialog} aria-labelledby={id} onCancel={cancel}>
            <h2 id={id}>{title}</h2>
            {children}
        </dialog>
    );
}
