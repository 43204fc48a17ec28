import {useEffect, useState} from "preact/hooks";
import {useDebounced} from "../ui/use_debounced.ts";
import {readInSlices, readPasted, type Pasted} from "./paste.ts";

interface Read {
    text: string;
    pasted: Pasted;
}

export interface UsedPasted {
    /** What was read last. */
    pasted: Pasted;
    /** That is the text as it is now. */
    isRead: boolean;
    /** The text is so long that one sees it being read. */
    isLong: boolean;
}

/** What a text that is typed or pasted says: not read anew at each key, and never for so long that the page does not answer. */
export function usePasted(text: string): UsedPasted {
    const settled = useDebounced(text);
    const [read, setRead] = useState<Read>(() => ({text: "", pasted: readPasted("")}));
    const [isLong, setLong] = useState(false);
    useEffect(() => {
        const controller = new AbortController();
        setLong(false);
        readInSlices(settled, {signal: controller.signal, onLong: () => setLong(true)}).then(pasted => {
            setRead({text: settled, pasted});
            setLong(false);
        }, () => {}); // another text came
        return () => controller.abort();
    }, [settled]);
    return {pasted: read.pasted, isRead: read.text === text, isLong};
}
