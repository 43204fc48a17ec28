// The secret of a link stands behind its #, which browsers send to no server. It is taken from there once and is out of the address bar,
// and so out of the history, before anything else happens.

export function takeFragment(): string {
    const secret = location.hash.slice(1);
    if (secret !== "") history.replaceState(null, "", location.pathname + location.search);
    return secret;
}
