// IPv4 and IPv6 addresses, read as the server reads them (common/ip/address.c): what different programs would take
// differently is refused, and the answer names what is wrong. Both are held to tests/vectors/ip_prefixes.txt. The server
// decides; this is so that a person who types hears of it at once.

export type IpProblem =
    | "EMPTY"
    | "SPACE"
    | "CHARACTER"
    | "RANGE"
    | "WILDCARD"
    | "NETMASK"
    | "PORT_OR_BRACKETS"
    | "ZONE"
    | "LEADING_ZERO"
    | "NOT_DECIMAL"
    | "NOT_FOUR_NUMBERS"
    | "NUMBER_TOO_LARGE"
    | "GROUP_TOO_LONG"
    | "GROUP_COUNT"
    | "COLONS"
    | "BITS_MISSING"
    | "BITS_NOT_A_NUMBER"
    | "BITS_TOO_LARGE"
    | "MIXED_FAMILY"
    | "MAPPED_BITS"
    | "BITS_DIFFER"
    | "HAS_PREFIX";

/** 4 bytes for IPv4, 16 for IPv6, in network order; never an IPv4-mapped one, which is its IPv4 address. */
export type IpAddress = readonly number[];

export type Parsed<T> = {value: T} | {problem: IpProblem};

export const isProblem = <T>(parsed: Parsed<T>): parsed is {problem: IpProblem} => "problem" in parsed;

export const widthOf = (address: IpAddress): number => address.length * 8;

const fail = (problem: IpProblem) => ({problem});

const NOTATION_LENGTH_MAX = 81;

/** What is wrong with the first character that cannot be part of an address. */
function screen(text: string): IpProblem | undefined {
    if (text === "") return "EMPTY";
    const match = /[^0-9a-fA-F.:]/.exec(text);
    if (!match) return undefined;
    const character = match[0];
    if (/[ \t\r\n]/.test(character)) return "SPACE";
    if (/[[\]]/.test(character)) return "PORT_OR_BRACKETS";
    if (character === "%") return "ZONE";
    if (character === "/") return "HAS_PREFIX";
    // "0x7f" is hexadecimal, "example.com" is a name.
    return /[xX]/.test(character) && text[match.index - 1] === "0" ? "NOT_DECIMAL" : "CHARACTER";
}

const isAddress = (text: string): boolean => !isProblem(parseAddress(text.trim()));

/** Other programs' notations of several addresses, by name. */
function recognise(text: string, wrong: IpProblem): IpProblem {
    if (text.length > NOTATION_LENGTH_MAX) return wrong;
    if (text.includes("*")) return "WILDCARD";
    if (text.includes("-") && isAddress(text.slice(0, text.indexOf("-")))) return "RANGE";
    const space = text.indexOf(" ");
    return space >= 0 && isAddress(text.slice(0, space)) && isAddress(text.slice(space)) ? "NETMASK" : wrong;
}

function problemOfNumber(text: string): IpProblem | undefined {
    if (text === "") return "NOT_FOUR_NUMBERS";
    if (!/^[0-9]+$/.test(text)) return "NOT_DECIMAL";
    if (text.length > 1 && text.startsWith("0")) return "LEADING_ZERO";
    return Number(text) > 255 ? "NUMBER_TOO_LARGE" : undefined;
}

function parseV4(text: string): Parsed<number[]> {
    const numbers = text.split(".");
    if (numbers.length !== 4) return fail("NOT_FOUR_NUMBERS");
    for (const number of numbers) {
        const problem = problemOfNumber(number);
        if (problem) return fail(problem);
    }
    return {value: numbers.map(Number)};
}

/** Where the groups may not stand as they do; `::` counts as one empty group, at either end as two. */
function problemOfColons(text: string): IpProblem | undefined {
    const hasGap = text.includes("::");
    const isOpen = (text.startsWith(":") && !text.startsWith("::")) || (text.endsWith(":") && !text.endsWith("::"));
    return isOpen || text.includes(":::") || (hasGap && text.indexOf("::") !== text.lastIndexOf("::"))
        ? "COLONS"
        : undefined;
}

function bytesOfGroup(group: string): Parsed<number[]> {
    if (group.includes(".")) return parseV4(group);
    if (group.length > 4) return fail("GROUP_TOO_LONG");
    const value = parseInt(group, 16);
    return {value: [value >> 8, value & 0xff]};
}

function bytesOfGroups(text: string): Parsed<number[]> {
    const bytes: number[] = [];
    for (const group of text === "" ? [] : text.split(":")) {
        const parsed = bytesOfGroup(group);
        if (isProblem(parsed)) return parsed;
        bytes.push(...parsed.value);
    }
    return {value: bytes};
}

/** The last 32 bits may be written as an IPv4 address, and no others. */
function problemOfDotted(text: string): IpProblem | undefined {
    const dot = text.indexOf(".");
    if (dot < 0) return undefined;
    if (text.indexOf(":", dot) >= 0) return "PORT_OR_BRACKETS";
    return text.indexOf(":") < 0 ? "GROUP_COUNT" : undefined;
}

function parseV6(text: string): Parsed<number[]> {
    const wrong = problemOfDotted(text) ?? problemOfColons(text);
    if (wrong) return fail(wrong);
    const gap = text.indexOf("::");
    const head = bytesOfGroups(gap < 0 ? text : text.slice(0, gap));
    if (isProblem(head)) return head;
    const tail = bytesOfGroups(gap < 0 ? "" : text.slice(gap + 2));
    if (isProblem(tail)) return tail;
    const zeros = 16 - head.value.length - tail.value.length;
    const fits = gap < 0 ? zeros === 0 : zeros >= 2;
    return fits ? {value: [...head.value, ...Array<number>(zeros).fill(0), ...tail.value]} : fail("GROUP_COUNT");
}

const isMapped = (bytes: number[]): boolean =>
    bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;

export function parseAddress(text: string): Parsed<IpAddress> {
    const wrong = screen(text);
    if (wrong) return fail(recognise(text, wrong));
    if (!text.includes(":")) return parseV4(text);
    const parsed = parseV6(text);
    return isProblem(parsed) || !isMapped(parsed.value) ? parsed : {value: parsed.value.slice(12)};
}

const groupsOf = (address: IpAddress): number[] =>
    Array.from({length: 8}, (_, i) => ((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0));

/** The longest run of two or more zero groups, the first among equals. */
function zeroRunOf(groups: number[]): {first: number; length: number} {
    let best = {first: 0, length: 0};
    let length = 0;
    groups.forEach((group, i) => {
        length = group === 0 ? length + 1 : 0;
        if (length >= 2 && length > best.length) best = {first: i + 1 - length, length};
    });
    return best;
}

/** Canonical text (RFC 5952). */
export function formatAddress(address: IpAddress): string {
    if (address.length === 4) return address.join(".");
    const groups = groupsOf(address);
    const run = zeroRunOf(groups);
    const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
    if (run.length === 0) return text(groups);
    return `${text(groups.slice(0, run.first))}::${text(groups.slice(run.first + run.length))}`;
}
