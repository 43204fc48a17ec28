/** The secret in the address's fragment, which is taken out of the address bar and of the history. */
export function takeFragment(): string {
    const secret = location.hash.slice(1);
    if (secret !== "") history.replaceState(null, "", location.pathname + location.search);
    return secret;
}
