import type {IpProblem} from "../ip/address.ts";
import {addressProblems, entries} from "../strings.ts";

/** Beside what is no address: what the console does not offer, and what is too long. */
export type EntryProblem = IpProblem | "EVERYBODY" | "NOTE_TOO_LONG";

export function wordsOf(problem: EntryProblem): string {
    if (problem === "EVERYBODY") return entries.everybody;
    return problem === "NOTE_TOO_LONG" ? entries.noteTooLong : addressProblems[problem];
}
