// Long work on the page's own thread, in slices that nobody feels: between them the page answers.

const SLICE_MS = 10;

/** By a message to itself: timers are held back the more often they are set, and in tabs that are not seen. */
function takeTurns(): Promise<void> {
    return new Promise(resolve => {
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resolve();
        };
        port2.postMessage(null);
    });
}

export interface SliceOptions {
    signal?: AbortSignal;
    /** After each slice that was not the last. */
    onSlice?: () => void;
    now?: () => number;
}

/** `work` goes on for as long as it may, and says whether it is done. Rejects with the signal's reason. */
export async function inSlices(work: (mayGoOn: () => boolean) => boolean, options: SliceOptions = {}): Promise<void> {
    const {signal, onSlice, now = () => performance.now()} = options;
    for (;;) {
        signal?.throwIfAborted();
        const end = now() + SLICE_MS;
        if (work(() => now() < end)) return;
        onSlice?.();
        await takeTurns();
    }
}
