import type {ComponentChildren, JSX} from "preact";

/** In place of a list without rows: why it is empty and what to do. */
export function Empty({title, children}: {title: string; children?: ComponentChildren}): JSX.Element {
    return (
        <div class="empty">
            <p><strong>{title}</strong></p>
            {children}
        </div>
    );
}
