// The rows of the form that adds entries: + and - as long as anybody likes, each with an address, its checking bits and a note.

import {isProblem} from "../ip/address.ts";
import {type IpPrefix, parsePrefix} from "../ip/prefix.ts";
import type {NewWhitelistEntry} from "../../gen/api.ts";
import type {EntryProblem} from "./problem_words.ts";

/** The usual widths; `free` is typed, `address` is what the address itself says, or the whole of it. */
export const BITS_CHOICES = ["address", "8", "16", "24", "32", "free"] as const;
export type BitsChoice = (typeof BITS_CHOICES)[number];

export interface Row {
    /** Of the form, so that a row keeps its fields when one above it goes. */
    key: number;
    address: string;
    choice: BitsChoice;
    freeBits: string;
    note: string;
}

export type RowChange =
    | {kind: "add"}
    | {kind: "remove"; key: number}
    | {kind: "set"; key: number; fields: Partial<Omit<Row, "key">>}
    | {kind: "clear"};

const newRow = (key: number): Row => ({key, address: "", choice: "address", freeBits: "", note: ""});

export const firstRows = (): Row[] => [newRow(0)];

/** There is always a row to type into. */
export function changeRows(rows: Row[], change: RowChange): Row[] {
    const nextKey = Math.max(...rows.map(row => row.key)) + 1;
    switch (change.kind) {
        case "add": return [...rows, newRow(nextKey)];
        case "set": return rows.map(row => row.key === change.key ? {...row, ...change.fields} : row);
        case "clear": return [newRow(nextKey)];
        case "remove": {
            const rest = rows.filter(row => row.key !== change.key);
            return rest.length > 0 ? rest : [newRow(nextKey)];
        }
    }
}

export const isBlank = (row: Row): boolean => row.address.trim() === "" && row.note.trim() === "";

/** NaN where it is not a whole number, which no address takes. */
function bitsOf(row: Row): number | undefined {
    if (row.choice === "address") return undefined;
    const text = row.choice === "free" ? row.freeBits.trim() : row.choice;
    return /^\d{1,3}$/.test(text) ? Number(text) : NaN;
}

export type RowJudgement = {range: IpPrefix} | {problem: EntryProblem; field: "address" | "bits"};

const BITS_PROBLEMS: readonly EntryProblem[] = ["EVERYBODY", "BITS_TOO_LARGE", "BITS_DIFFER", "BITS_NOT_A_NUMBER", "MIXED_FAMILY", "MAPPED_BITS"];

export function judgeRow(row: Row): RowJudgement {
    const bits = bitsOf(row);
    if (Number.isNaN(bits)) return {problem: "BITS_NOT_A_NUMBER", field: "bits"};
    const parsed = parsePrefix(row.address.trim(), bits);
    const fieldOf = (problem: EntryProblem) => bits !== undefined && BITS_PROBLEMS.includes(problem) ? "bits" : "address";
    if (isProblem(parsed)) return {problem: parsed.problem, field: fieldOf(parsed.problem)};
    return parsed.value.bits > 0 ? {range: parsed.value} : {problem: "EVERYBODY", field: fieldOf("EVERYBODY")};
}

export function entryOf(row: Row): NewWhitelistEntry {
    const bits = bitsOf(row);
    return {
        address: row.address.trim(),
        ...(bits === undefined ? {} : {checkingBits: bits}),
        ...(row.note.trim() === "" ? {} : {note: row.note.trim()}),
    };
}
