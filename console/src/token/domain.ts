// Domains of a token's list as they are typed: `app.example.com`, or `*.example.com` for every name below. The server judges them again.

import {newToken} from "../strings.ts";

const LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}\\p{M}-]{0,61}[\\p{L}\\p{N}\\p{M}])?";
const DOMAIN = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)*${LABEL}$`, "u");
const LENGTH_MAX = 253;

export function judgeDomain(text: string): string | undefined {
    return DOMAIN.test(text) && text.length <= LENGTH_MAX ? undefined : newToken.domainBad;
}
