import type {JSX} from "preact";
import type {Pages} from "../rpc/use_pages.ts";
import {common} from "../strings.ts";
import {Button} from "./button.tsx";

/** Nothing where all of the list is on one page. */
export function Pager<T>({of: {number, next, previous}}: {of: Pages<T>}): JSX.Element | null {
    if (!next && !previous) return null;
    return (
        <nav class="pager" aria-label={common.pages}>
            <Button disabled={!previous} onClick={previous}>{common.previousPage}</Button>
            <span aria-current="page">{common.pageNumber(number)}</span>
            <Button disabled={!next} onClick={next}>{common.nextPage}</Button>
        </nav>
    );
}
