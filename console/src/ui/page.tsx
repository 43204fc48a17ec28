// A page's frame: its heading, which takes the focus when one comes from another page, so that it is read out; its title and actions.

import type {ComponentChildren, JSX} from "preact";
import {useEffect, useRef} from "preact/hooks";
import {frame} from "../strings.ts";

interface PageProps {
    title: string;
    /** One sentence below the heading. */
    lead?: ComponentChildren;
    actions?: ComponentChildren;
    children?: ComponentChildren;
}

let isFirst = true;

export function Page({title, lead, actions, children}: PageProps): JSX.Element {
    const heading = useRef<HTMLHeadingElement>(null);
    useEffect(() => {
        if (!isFirst) heading.current?.focus({preventScroll: true});
        isFirst = false;
    }, []);
    useEffect(() => { document.title = frame.documentTitle(title); }, [title]);
    return (
        <>
            <header class="page-head">
                <div>
                    <h1 ref={heading} tabIndex={-1}>{title}</h1>
                    {lead && <p class="lead">{lead}</p>}
                </div>
                {actions && <div class="actions">{actions}</div>}
            </header>
            {children}
        </>
    );
}
