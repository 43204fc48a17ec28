// What the navigation leads to, in two groups, and what one needs to hold for an entry to be of use. What of it the server allows is the
// server's to say: an entry is left out only where its page could show nothing.

import {frame} from "../strings.ts";

export interface Entry {
    href: string;
    text: string;
    permission?: string;
}

export interface Group {
    title: string;
    entries: Entry[];
}

const GROUPS: readonly Group[] = [
    {
        title: frame.groups.profile,
        entries: [
            {href: "/tokens", text: frame.links.tokens},
            {href: "/logins", text: frame.links.logins},
            {href: "/explain", text: frame.links.explain, permission: "latchkey.validate.explain"},
        ],
    },
    {
        title: frame.groups.company,
        entries: [
            {href: "/security", text: frame.links.security, permission: "latchkey.whitelist.read"},
            {href: "/users", text: frame.links.users, permission: "latchkey.members.read"},
            {href: "/company", text: frame.links.policy, permission: "latchkey.company.read"},
            {href: "/audit", text: frame.links.audit, permission: "latchkey.audit.read"},
        ],
    },
];

export function navigationOf(permissions: readonly string[]): Group[] {
    return GROUPS.map(({title, entries}) => ({title, entries: entries.filter(({permission}) => !permission || permissions.includes(permission))}))
        .filter(({entries}) => entries.length > 0);
}

/** Whether the page is the entry's or one below it. */
export function isAt(path: string, {href}: Entry): boolean {
    return path === href || path.startsWith(`${href}/`);
}
