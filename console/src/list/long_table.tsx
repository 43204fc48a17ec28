// A table of a list of any length, that scrolls with the page. In the document are only the rows near what is seen; space stands for the
// rest, and the rows say by number which they are.

import {Component, type ComponentChildren, type JSX} from "preact";
import {useEffect, useLayoutEffect, useRef} from "preact/hooks";
import type {Column} from "../ui/table.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {heightOf, pageAt, segmentsOf, type Segment} from "./segments.ts";
import type {LongList} from "./use_window.ts";
import {rowsBefore} from "./window.ts";

interface LongTableProps<T> {
    caption: string;
    /** Says how wide its columns are, lest they move as rows come and go. */
    class: string;
    /** The same array for as long as they are the same. */
    columns: Column<T>[];
    list: LongList<T>;
    keyOf: (row: T) => string;
    /** All rows there are, if that is known. */
    total?: number | undefined;
    /** What is said while more of it comes. */
    more: string;
}

export function LongTable<T>({caption, class: name, columns, list, keyOf, total = -1, more}: LongTableProps<T>): JSX.Element {
    const table = useRef<HTMLTableElement>(null);
    const heights = useRef<number[]>([]);
    const {window: rows} = list;

    function follow(): void {
        const body = table.current?.tBodies[0];
        if (!body) return;
        const page = pageAt(heights.current, rows.pages.length, innerHeight - body.getBoundingClientRect().top);
        if (page !== rows.centre) list.lookAt(page);
    }
    useLayoutEffect(() => {
        for (const body of table.current?.tBodies ?? []) {
            const page = body.dataset.page;
            if (page !== undefined) heights.current[Number(page)] = body.getBoundingClientRect().height;
        }
        follow();
    });
    useEffect(() => {
        addEventListener("scroll", follow, {passive: true});
        return () => removeEventListener("scroll", follow);
    });

    const bodyOf = (segment: Segment): JSX.Element => {
        if (segment.kind === "more") return <More key="more" width={columns.length}>{list.error ? null : more}</More>;
        if (segment.kind === "space") {
            const {from, to} = segment;
            return <Space key={`space-${from}`} width={columns.length} height={heightOf(heights.current, from, to)} />;
        }
        const {page} = segment;
        return <Rows key={page} page={page} first={rowsBefore(rows, page)} rows={rows.pages[page]?.rows ?? []} columns={columns} keyOf={keyOf} />;
    };
    return (
        <>
            <table ref={table} role="table" class={`table ${name}`} aria-rowcount={total < 0 ? -1 : total + 1}
                aria-busy={rows.pages.length === 1 && !rows.isWhole && !list.error}>
                <caption class="unseen">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row" aria-rowindex={1}>
                        {columns.map(({title, isActions}) => (
                            <th key={title} role="columnheader" scope="col">{isActions ? <span class="unseen">{title}</span> : title}</th>
                        ))}
                    </tr>
                </thead>
                {segmentsOf(rows).map(bodyOf)}
            </table>
            {list.error && <ErrorBox error={list.error} onRetry={list.retry} />}
        </>
    );
}

interface RowsProps<T> {
    page: number;
    /** How many rows are before them in the list. */
    first: number;
    rows: readonly T[];
    columns: Column<T>[];
    keyOf: (row: T) => string;
}

// A page's rows are made once, not each time that another page comes or goes: it is those moments in which one scrolls.
class Rows<T> extends Component<RowsProps<T>> {
    override shouldComponentUpdate({rows, first, columns}: RowsProps<T>): boolean {
        return rows !== this.props.rows || first !== this.props.first || columns !== this.props.columns;
    }

    override render({page, first, rows, columns, keyOf}: RowsProps<T>): JSX.Element {
        const [head, ...others] = columns;
        return (
            <tbody role="rowgroup" data-page={page}>
                {rows.map((row, index) => (
                    <tr key={keyOf(row)} role="row" aria-rowindex={first + index + 2}>
                        {head && <th role="rowheader" scope="row">{head.cell(row)}</th>}
                        {others.map(({title, cell, isActions}) => (
                            <td key={title} role="cell" class={isActions ? "cell-actions" : undefined}
                                data-title={isActions ? undefined : title}>{cell(row)}</td>
                        ))}
                    </tr>
                ))}
            </tbody>
        );
    }
}

function Space({width, height}: {width: number; height: number}): JSX.Element {
    return <tbody aria-hidden="true" class="space"><tr><td colSpan={width} style={{height: `${height}px`}} /></tr></tbody>;
}

function More({width, children}: {width: number; children: ComponentChildren}): JSX.Element {
    return <tbody role="rowgroup"><tr role="row"><td role="cell" colSpan={width} class="quiet">{children}</td></tr></tbody>;
}
