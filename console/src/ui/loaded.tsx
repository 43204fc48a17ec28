import {Fragment, type ComponentChildren, type JSX} from "preact";
import type {Loading} from "../rpc/use_load.ts";
import {ErrorBox} from "./error_box.tsx";
import {Skeleton} from "./skeleton.tsx";

/** What was loaded; a skeleton before, what failed and *Try again* instead, or above what was there before. */
export function Loaded<T>({of, rows = 5, children}: {of: Loading<T>; rows?: number; children: (data: T) => ComponentChildren}): JSX.Element {
    if (of.state === "loading") return <Skeleton rows={rows} />;
    return (
        <>
            {of.error && <ErrorBox error={of.error} onRetry={of.reload} />}
            {of.state === "done" && <Fragment key="loaded">{children(of.data)}</Fragment>}
        </>
    );
}
