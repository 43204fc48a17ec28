// Why somebody was not let in. Reason and address may stand in a link that anybody can write: only words of ours are shown, and an
// address only if it is one.

import {formatAddress, isProblem, parseAddress} from "../ip/address.ts";
import {signIn} from "../strings.ts";

export interface Refusal {
    text: string;
    /** Empty: none was seen. */
    address: string;
}

export function isRefusal(reason: string): boolean {
    return Object.hasOwn(signIn.refusals, reason);
}

export function readRefusal(reason: string, address: string): Refusal {
    const parsed = parseAddress(address);
    const text = isRefusal(reason) ? signIn.refusals[reason] : undefined;
    return {text: text ?? signIn.refusedOther, address: isProblem(parsed) ? "" : formatAddress(parsed.value)};
}
