import type {ButtonHTMLAttributes, ComponentChildren, JSX} from "preact";
import {Link} from "../app/router.tsx";
import {common} from "../strings.ts";

type Kind = "primary" | "danger" | "plain";

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
    kind?: Kind;
    /** Works on what it was pressed for; it keeps the focus, and pressing it does nothing. */
    busy?: boolean;
    disabled?: boolean;
    children: ComponentChildren;
}

export function Button({kind = "plain", busy = false, type = "button", onClick, children, ...rest}: ButtonProps): JSX.Element {
    return (
        <button {...rest} type={type} class={`button ${kind}`} aria-disabled={busy || undefined}
            onClick={busy ? event => event.preventDefault() : onClick}>
            {busy && <span class="spinner" aria-hidden="true" />}
            {children}
            {busy && <span class="unseen">{common.busy}</span>}
        </button>
    );
}

export function ButtonLink({href, kind = "plain", children}: {href: string; kind?: Kind; children: ComponentChildren}): JSX.Element {
    return <Link href={href} class={`button ${kind}`}>{children}</Link>;
}
