import {useEffect, useMemo, useRef, useState} from "preact/hooks";
import {inSlices} from "../ui/in_slices.ts";
import {useDebounced} from "../ui/use_debounced.ts";
import {openPasted, readPasted, type Pasted, type PastedReader} from "./paste.ts";

/** Few, since each is drawn. */
const STEPS = 20;

interface Read {
    text: string;
    pasted: Pasted;
}

export interface UsedPasted {
    /** What was read last, from its beginning to its end. */
    pasted: Pasted;
    /** That is the text as it is now. */
    isRead: boolean;
    /** Of a text so long that one sees it being read, how much is: above 0, up to 1. Else 0. */
    share: number;
    /** It is read no further until `goOn`. Another text is. */
    isStopped: boolean;
    stop: () => void;
    goOn: () => void;
}

/** What a text that is typed or pasted says: not read anew at each key, and never for so long that the page does not answer. */
export function usePasted(text: string): UsedPasted {
    const settled = useDebounced(text);
    const reader = useMemo(() => openPasted(settled), [settled]);
    const [whole, setWhole] = useState<Read>(() => ({text: "", pasted: readPasted("")}));
    const [share, setShare] = useState(0);
    const [stopped, setStopped] = useState<PastedReader | null>(null);
    const isStopped = stopped === reader;
    const running = useRef<AbortController | null>(null);
    useEffect(() => {
        if (isStopped) return undefined;
        const controller = running.current = new AbortController();
        const show = (): void => setShare(Math.ceil(STEPS * reader.share()) / STEPS);
        show();
        inSlices(reader.read, {signal: controller.signal, onSlice: show}).then(() => {
            setWhole({text: settled, pasted: reader.pasted});
            setShare(0);
        }, () => {}); // stopped, or another text came
        return () => controller.abort();
    }, [reader, isStopped]);
    // At once: an effect comes after the next picture.
    function stop(): void {
        running.current?.abort();
        setStopped(reader);
    }
    return {pasted: whole.pasted, isRead: whole.text === text, share, isStopped, stop, goOn: () => setStopped(null)};
}
