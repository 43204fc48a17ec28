// A pasted list: each line is an address, with or without checking bits, and what else stands on it is its note. Blank lines and those
// that begin with # are passed over. Every other line is either an entry or named with what is wrong.

import {isProblem} from "../ip/address.ts";
import {formatPrefix, parsePrefix} from "../ip/prefix.ts";
import type {EntryProblem} from "./problem_words.ts";

export interface PastedEntry {
    line: number;
    address: string;
    /** Absent: what the address says, or the whole of it. */
    bits?: number;
    note: string;
    /** Canonical range. */
    cidr: string;
}

export interface BadLine {
    line: number;
    text: string;
    problem: EntryProblem;
}

export interface Pasted {
    entries: PastedEntry[];
    bad: BadLine[];
    /** Lines left out, since a line before has the same range. */
    repeated: {line: number; firstLine: number}[];
}

export const NOTE_MAX = 500;

const SEPARATOR = /[\s,;]+/;
const MAYBE_NOTATION = /^\S+(\s*-| \S*[.:])/;
const BITS_COLUMN = /^(\d{1,3})(?=$|[\s,;])[\s,;]*/;

/** Spreadsheets quote a cell that has a comma in it. */
const unquote = (text: string): string => /^".*"$/.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text;

/** `10.0.0.1 - 10.0.0.9` and `10.0.0.0 255.0.0.0` are one thing that is not understood, not an address and a note. */
function isNotation(text: string): boolean {
    if (!MAYBE_NOTATION.test(text)) return false;
    const parsed = parsePrefix(text);
    return isProblem(parsed) && (parsed.problem === "RANGE" || parsed.problem === "NETMASK");
}

function split(text: string): {address: string; bits?: number; note: string} {
    const start = isNotation(text.slice(0, 81)) ? -1 : text.search(SEPARATOR);
    if (start < 0) return {address: text, note: ""};
    const address = text.slice(0, start);
    const rest = text.slice(start).replace(/^[\s,;]+/, "");
    const column = address.includes("/") ? null : BITS_COLUMN.exec(rest);
    const note = unquote((column ? rest.slice(column[0].length) : rest).replace(/^#\s*/, "").trim());
    return {address, note, ...(column ? {bits: Number(column[1])} : {})};
}

function judge(text: string, line: number): PastedEntry | BadLine {
    const parts = split(text);
    const range = parsePrefix(parts.address, parts.bits);
    if (isProblem(range)) return {line, text, problem: range.problem};
    if (range.value.bits === 0) return {line, text, problem: "EVERYBODY"};
    if ([...parts.note].length > NOTE_MAX) return {line, text, problem: "NOTE_TOO_LONG"};
    return {line, ...parts, cidr: formatPrefix(range.value)};
}

export interface PastedReader {
    /** What is read so far. */
    pasted: Pasted;
    /** Reads lines for as long as it may, and goes on where it was when it is called again; true: all are read. */
    read: (mayGoOn: () => boolean) => boolean;
    /** How much of the text is read, from 0 to 1. */
    share: () => number;
}

export function openPasted(text: string): PastedReader {
    const pasted: Pasted = {entries: [], bad: [], repeated: []};
    const lineOf = new Map<string, number>();
    const ending = /\r\n|\r|\n|$/g;
    let line = 0;

    function readLine(raw: string): void {
        line++;
        const content = raw.replace(/^\uFEFF/, "").trim();
        if (content === "" || content.startsWith("#")) return;
        const judged = judge(content, line);
        if ("problem" in judged) {
            pasted.bad.push(judged);
            return;
        }
        const firstLine = lineOf.get(judged.cidr);
        if (firstLine !== undefined) {
            pasted.repeated.push({line: judged.line, firstLine});
            return;
        }
        lineOf.set(judged.cidr, judged.line);
        pasted.entries.push(judged);
    }
    function read(mayGoOn: () => boolean): boolean {
        while (ending.lastIndex < text.length) {
            if (!mayGoOn()) return false;
            const start = ending.lastIndex;
            const end = ending.exec(text)?.index ?? text.length;
            readLine(text.slice(start, end));
            if (end === text.length) return true;
        }
        return true;
    }
    return {pasted, read, share: () => ending.lastIndex / Math.max(text.length, 1)};
}

export function readPasted(text: string): Pasted {
    const {pasted, read} = openPasted(text);
    read(() => true);
    return pasted;
}

/** In runs that one call takes: of so many, and of so much text together. */
export function inRuns<T>(all: readonly T[], lengthMax: number, sizeMax: number, sizeOf: (each: T) => number): T[][] {
    const runs: T[][] = [];
    let size = Infinity;
    for (const each of all) {
        let run = runs.at(-1);
        if (!run || run.length === lengthMax || size + sizeOf(each) > sizeMax) {
            run = [];
            runs.push(run);
            size = 0;
        }
        run.push(each);
        size += sizeOf(each);
    }
    return runs;
}
