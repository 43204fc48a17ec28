// The people to invite: one or many, typed or pasted, with what came of each.

import type {CreateInvitationResult, NewInvitation} from "../../gen/api.ts";

export const PEOPLE_MAX = 100;

/** Addresses in the order of the text, each once in any case; `Ada Lovelace <ada@example.com>` is ada@example.com. */
export function readPeople(text: string): string[] {
    const seen = new Set<string>();
    const people: string[] = [];
    for (const part of text.split(/[\n,;]+/)) {
        const email = (/<([^<>]*)>\s*$/.exec(part)?.[1] ?? part).trim();
        const key = email.toLowerCase();
        if (email === "" || seen.has(key)) continue;
        seen.add(key);
        people.push(email);
    }
    return people;
}

/** Enough to see a slip of the finger; the server judges. */
export const looksLikeEmail = (text: string): boolean => /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+$/.test(text) || /^[^\s@<>]+@localhost$/.test(text);

export const invitationsOf = (emails: string[], roleIds: string[], allowedIps: string[]): NewInvitation[] =>
    emails.map(email => ({email, roleIds, allowedIps}));

export interface Outcome {
    email: string;
    invitationId?: string;
    /** Why there is none, in the server's words. */
    error?: string;
}

export const outcomesOf = (emails: string[], results: CreateInvitationResult[]): Outcome[] => emails.map((email, index) => {
    const {invitation, error} = results[index] ?? {};
    return invitation?.invitationId ? {email, invitationId: invitation.invitationId} : {email, error: error?.message ?? ""};
});

/** Those to type again: what was refused stays in the form. */
export const refused = (outcomes: Outcome[]): string[] => outcomes.filter(outcome => !outcome.invitationId).map(outcome => outcome.email);
