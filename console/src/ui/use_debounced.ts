import {useEffect, useState} from "preact/hooks";

const QUIET_MS = 250;

/** What the value is once nobody has typed for a moment. */
export function useDebounced<T>(value: T): T {
    const [settled, setSettled] = useState(value);
    useEffect(() => {
        const timer = setTimeout(() => setSettled(value), QUIET_MS);
        return () => clearTimeout(timer);
    }, [value]);
    return settled;
}
