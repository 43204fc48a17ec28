// Rows of a list. On a phone each row is a block whose cells are named by their column; the roles say again what the elements are,
// because a table that is laid out otherwise is none to some browsers.

import type {ComponentChildren, JSX} from "preact";

export interface Column<T> {
    title: string;
    cell: (row: T) => ComponentChildren;
    /** Nothing to be read in the heading: a column of buttons. */
    isActions?: boolean;
}

interface TableProps<T> {
    /** What it is a list of, for who does not see it. */
    caption: string;
    columns: Column<T>[];
    rows: T[];
    keyOf: (row: T, index: number) => string;
}

export function Table<T>({caption, columns, rows, keyOf}: TableProps<T>): JSX.Element {
    const [first, ...others] = columns;
    return (
        <table role="table" class="table">
            <caption class="unseen">{caption}</caption>
            <thead role="rowgroup">
                <tr role="row">
                    {columns.map(({title, isActions}) => (
                        <th key={title} role="columnheader" scope="col">{isActions ? <span class="unseen">{title}</span> : title}</th>
                    ))}
                </tr>
            </thead>
            <tbody role="rowgroup">
                {rows.map((row, index) => (
                    <tr key={keyOf(row, index)} role="row">
                        {first && <th role="rowheader" scope="row">{first.cell(row)}</th>}
                        {others.map(({title, cell, isActions}) => (
                            <td key={title} role="cell" class={isActions ? "cell-actions" : undefined} data-title={isActions ? undefined : title}>
                                {cell(row)}
                            </td>
                        ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}
