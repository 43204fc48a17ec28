// Which page is shown: the address bar says it, links and navigate() change it.

import type {ComponentChildren, JSX} from "preact";
import {useEffect, useState} from "preact/hooks";

type Listener = () => void;
const listeners = new Set<Listener>();

export function navigate(path: string, {replace = false} = {}): void {
    if (replace) history.replaceState(null, "", path);
    else history.pushState(null, "", path);
    window.scrollTo(0, 0);
    listeners.forEach(listener => listener());
}

/** Pathname and query of the page, and anew when they change. */
export function useLocation(): {path: string; query: URLSearchParams} {
    const [address, setAddress] = useState(readAddress);
    useEffect(() => {
        const listener = (): void => setAddress(readAddress());
        listeners.add(listener);
        window.addEventListener("popstate", listener);
        listener();
        return () => {
            listeners.delete(listener);
            window.removeEventListener("popstate", listener);
        };
    }, []);
    const [path = "/", query = ""] = address.split("?", 2);
    return {path, query: new URLSearchParams(query)};
}

function readAddress(): string {
    return location.pathname + location.search;
}

interface LinkProps {
    href: string;
    class?: string;
    "aria-current"?: "page" | undefined;
    children: ComponentChildren;
}

/** To a page of ours; what opens it elsewhere (a modifier key, the middle button) is left to the browser. */
export function Link({href, children, ...rest}: LinkProps): JSX.Element {
    function follow(event: MouseEvent): void {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
    }
    return <a {...rest} href={href} onClick={follow}>{children}</a>;
}
