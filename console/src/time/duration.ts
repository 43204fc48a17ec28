// Durations of protobuf's JSON: seconds with an `s` behind them, `5400s`, `0.25s`.

/** In milliseconds; undefined for anything else. */
export function durationMs(text: string | undefined): number | undefined {
    const match = /^(-?\d+(?:\.\d+)?)s$/.exec(text ?? "");
    return match ? Math.round(Number(match[1]) * 1000) : undefined;
}

export function durationOfSeconds(seconds: number): string {
    return `${seconds}s`;
}
