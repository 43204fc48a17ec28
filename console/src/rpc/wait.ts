/** Resolves after so long; rejects with the signal's reason when that comes first. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(finish, ms);
        signal?.addEventListener("abort", abort, {once: true});
        if (signal?.aborted) abort();

        function finish(): void {
            signal?.removeEventListener("abort", abort);
            resolve();
        }

        function abort(): void {
            clearTimeout(timer);
            reject(signal?.reason);
        }
    });
}
