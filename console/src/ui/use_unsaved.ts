import {useEffect} from "preact/hooks";

/** While it is so, the browser asks before the page is closed or left for another site. */
export function useUnsaved(isUnsaved: boolean): void {
    useEffect(() => {
        if (!isUnsaved) return undefined;
        const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
        window.addEventListener("beforeunload", ask);
        return () => window.removeEventListener("beforeunload", ask);
    }, [isUnsaved]);
}
