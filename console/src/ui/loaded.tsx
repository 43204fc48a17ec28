import type {ComponentChildren, JSX} from "preact";
import type {Loading} from "../rpc/use_load.ts";
import {ErrorBox} from "./error_box.tsx";
import {Skeleton} from "./skeleton.tsx";

/** What was loaded; a skeleton before, what failed and *Try again* instead. */
export function Loaded<T>({of, rows = 5, children}: {of: Loading<T>; rows?: number; children: (data: T) => ComponentChildren}): JSX.Element {
    if (of.state === "loading") return <Skeleton rows={rows} />;
    if (of.state === "error") return <ErrorBox error={of.error} onRetry={of.reload} />;
    return <>{children(of.data)}</>;
}
