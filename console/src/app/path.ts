// Paths of pages, and what their patterns say: `/tokens/:id`.

/** The parts that the pattern names; null: it is not this page's path. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
    const wanted = pattern.split("/");
    const given = path.split("/");
    if (wanted.length !== given.length) return null;
    const parts: Record<string, string> = {};
    for (const [i, word] of wanted.entries()) {
        const part = given[i] ?? "";
        if (word.startsWith(":") && part !== "") parts[word.slice(1)] = decode(part);
        else if (word !== part) return null;
    }
    return parts;
}

function decode(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

/** Whether one may be sent there: a page of ours, never another site's. */
export function isOwnPath(path: string): boolean {
    return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.includes("\\");
}
