// Times as <input type="datetime-local"> has them: in the viewer's zone, to the minute, without naming the zone.

function two(number: number): string {
    return String(number).padStart(2, "0");
}

/** `2026-11-27T02:43`; empty for no time. */
export function toLocalInput(text: string | undefined): string {
    const date = new Date(text ?? "");
    if (Number.isNaN(date.getTime())) return "";
    const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** As the servers take it; undefined for no time. */
export function fromLocalInput(text: string): string | undefined {
    const date = new Date(text);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
