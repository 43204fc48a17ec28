// What is wrong with a typed address or range, in a sentence.

import {addressProblems} from "../strings.ts";
import {isProblem, parseAddress} from "./address.ts";
import {parsePrefix} from "./prefix.ts";

/** Of `address` or `address/bits`; undefined: nothing. */
export function judgeRange(text: string): string | undefined {
    const parsed = parsePrefix(text);
    return isProblem(parsed) ? addressProblems[parsed.problem] : undefined;
}

export function judgeAddress(text: string): string | undefined {
    const parsed = parseAddress(text);
    return isProblem(parsed) ? addressProblems[parsed.problem] : undefined;
}
