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
    /** One slice was not enough. */
    onLong?: () => void;
    now?: () => number;
}

/** `work` goes on for as long as it may, and says whether it is done. Rejects with the signal's reason. */
export async function inSlices(work: (mayGoOn: () => boolean) => boolean, options: SliceOptions = {}): Promise<void> {
    const {signal, onLong, now = () => performance.now()} = options;
    for (let slices = 1; ; slices++) {
        signal?.throwIfAborted();
        const end = now() + SLICE_MS;
        if (work(() => now() < end)) return;
        if (slices === 1) onLong?.();
        await takeTurns();
    }
}
