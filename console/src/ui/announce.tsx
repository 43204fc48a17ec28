// One sentence about what has just been done, seen for some seconds and read out.

import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";

const SHOWN_MS = 8000;

let show = (_text: string): void => {};

export function announce(text: string): void {
    show(text);
}

/** Stands once in the document, always, or screen readers would miss what is put in. */
export function Announcements(): JSX.Element {
    const [said, setSaid] = useState({text: "", turn: 0});
    useEffect(() => {
        show = text => setSaid(({turn}) => ({text, turn: turn + 1}));
        return () => { show = () => {}; };
    }, []);
    useEffect(() => {
        if (said.text === "") return undefined;
        const timer = setTimeout(() => setSaid(({turn}) => ({text: "", turn})), SHOWN_MS);
        return () => clearTimeout(timer);
    }, [said.turn]);
    return <div class="toasts" role="status" aria-live="polite">{said.text && <p class="toast" key={said.turn}>{said.text}</p>}</div>;
}
