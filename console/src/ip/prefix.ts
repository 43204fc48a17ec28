// An address and how many of its leading bits count, its "checking bits" (common/ip/prefix.c).
import {type IpAddress, type Parsed, formatAddress, isProblem, parseAddress, widthOf} from "./address.ts";

/** Canonical: the bits that do not count are zero. */
export interface IpPrefix {
    readonly address: IpAddress;
    readonly bits: number;
}

/** 96 bits of an IPv4-mapped IPv6 address stand before the IPv4 address in it. */
const MAPPED_BITS = 96;

export const prefixOf = (address: IpAddress, bits: number): IpPrefix => ({
    address: address.map((byte, i) => byte & (0xff << Math.min(8, Math.max(0, 8 * (i + 1) - bits)))),
    bits,
});

function parseBits(text: string): Parsed<number> {
    if (text === "") return {problem: "BITS_MISSING"};
    const isNumber = /^(0|[1-9][0-9]*)$/.test(text) && BigInt(text) < 1n << 64n;
    return isNumber ? {value: Number(text)} : {problem: "BITS_NOT_A_NUMBER"};
}

/** From the bits of the typed form to those of the address that it stands for. */
function convertBits(address: IpAddress, isTypedAsV6: boolean, bits: number): Parsed<number> {
    if (bits > 128) return {problem: "BITS_TOO_LARGE"};
    if (!isTypedAsV6 && bits > 32) return {problem: bits < MAPPED_BITS ? "BITS_TOO_LARGE" : "MIXED_FAMILY"};
    if (!isTypedAsV6 || widthOf(address) === 128) return {value: bits};
    return bits < MAPPED_BITS ? {problem: "MAPPED_BITS"} : {value: bits - MAPPED_BITS};
}

/** `address` or `address/bits`, and the bits also in a field of their own; in both places they must be the same. */
export function parsePrefix(text: string, ownBits?: number): Parsed<IpPrefix> {
    const slash = text.indexOf("/");
    const addressText = slash < 0 ? text : text.slice(0, slash);
    const address = parseAddress(addressText);
    if (isProblem(address)) return address;
    const isTypedAsV6 = addressText.includes(":");
    let bits = ownBits ?? (isTypedAsV6 ? 128 : 32);
    if (slash >= 0) {
        const typed = parseBits(text.slice(slash + 1));
        if (isProblem(typed)) return typed;
        if (ownBits !== undefined && ownBits !== typed.value) return {problem: "BITS_DIFFER"};
        bits = typed.value;
    }
    const converted = convertBits(address.value, isTypedAsV6, bits);
    return isProblem(converted) ? converted : {value: prefixOf(address.value, converted.value)};
}

/** `203.0.113.0/24`, always with its bits. */
export const formatPrefix = (prefix: IpPrefix): string => `${formatAddress(prefix.address)}/${prefix.bits}`;

export const contains = (prefix: IpPrefix, address: IpAddress): boolean =>
    prefix.address.length === address.length &&
    prefixOf(address, prefix.bits).address.every((byte, i) => byte === prefix.address[i]);

/** How many addresses it lets in, for people: exact up to 2^32, then as a power of two. */
export function sizeOf(prefix: IpPrefix): string {
    const free = widthOf(prefix.address) - prefix.bits;
    return free <= 32 ? (2 ** free).toLocaleString("en") : `2^${free}`;
}
