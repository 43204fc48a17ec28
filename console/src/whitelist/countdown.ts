// The time that is left to keep a published list, in words short enough to change every second.

/** Whole seconds until then, never below 0. */
export const secondsLeft = (until: string, nowMs: number): number => Math.max(0, Math.ceil((Date.parse(until) - nowMs) / 1000));

const two = (value: number): string => String(value).padStart(2, "0");

/** `2 d 03:04:05`, `3:04:05`, `4:05`. */
export function clockText(seconds: number): string {
    const days = Math.floor(seconds / 86_400);
    const hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
    return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** What is read out: not each second, which nobody could bear, but when one of these is reached. */
export const ANNOUNCED_AT = [3600, 600, 300, 60, 30, 10] as const;

/** The mark that lies between two readings of the clock; undefined: none. */
export const reachedMark = (before: number, now: number): number | undefined => ANNOUNCED_AT.find(mark => now <= mark && mark < before);
