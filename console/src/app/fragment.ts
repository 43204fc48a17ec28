// The secret of a link stands behind its #, which browsers send to no server. It is taken from there once and is out of the address bar,
// and so out of the history, before anything else happens.

import {useEffect, useState} from "preact/hooks";

function takeFragment(): string {
    const secret = location.hash.slice(1);
    if (secret !== "") history.replaceState(null, "", location.pathname + location.search);
    return secret;
}

/** The secret; empty: there was none. A new one where another link is opened while the page is here already. */
export function useFragment(): string {
    const [secret, setSecret] = useState(takeFragment);
    useEffect(() => {
        const listener = (): void => { if (location.hash !== "") setSecret(takeFragment()); };
        window.addEventListener("hashchange", listener);
        return () => window.removeEventListener("hashchange", listener);
    }, []);
    return secret;
}
