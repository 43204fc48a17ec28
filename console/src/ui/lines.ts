// Lists as text, one entry a line; commas and semicolons part entries too, as in what is pasted.

/** What is wrong with an entry; undefined: nothing. */
export type Judge = (entry: string) => string | undefined;

export interface BadLine {
    /** From 1. */
    line: number;
    text: string;
    why: string;
}

function entriesOf(line: string): string[] {
    return line.split(/[\s,;]+/).filter(entry => entry !== "");
}

export function splitLines(text: string): string[] {
    return text.split("\n").flatMap(entriesOf);
}

export function badLines(text: string, judge: Judge): BadLine[] {
    return text.split("\n").flatMap((line, index) => entriesOf(line).flatMap(entry => {
        const why = judge(entry);
        return why === undefined ? [] : [{line: index + 1, text: entry, why}];
    }));
}
