// Times of the servers (RFC 3339, UTC) as people read them.

/** In the viewer's zone and language; what is no time is left as it is. */
export function localTime(text: string, locale?: string, timeZone?: string): string {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) return text;
    return new Intl.DateTimeFormat(locale, {dateStyle: "medium", timeStyle: "short", ...(timeZone && {timeZone})}).format(date);
}

/** To the second, the same everywhere: `2026-11-27 02:43:03 UTC`. */
export function utcTime(text: string): string {
    const date = new Date(text);
    return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
