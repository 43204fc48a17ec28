// An access token as the form has it, and back into an update that names only what was typed.

import type {AccessToken, UpdateAccessTokenRequest} from "../../gen/api.ts";
import {changedFields} from "../form/merge.ts";
import {fromLocalInput, toLocalInput} from "../time/local_input.ts";
import {splitLines} from "../ui/lines.ts";

export interface EditForm extends Record<string, unknown> {
    label: string;
    description: string;
    permissions: string[];
    /** As the browser's field has it; empty: never. */
    expiresAt: string;
    /** One a line, as the next. */
    allowedDomains: string;
    allowedIps: string;
}

export function editFormOf(token: AccessToken): EditForm {
    const {label = "", description = "", permissions = [], expiresAt, allowedDomains = [], allowedIps = []} = token;
    return {
        label, description, permissions: [...permissions].sort(), expiresAt: toLocalInput(expiresAt),
        allowedDomains: allowedDomains.join("\n"), allowedIps: allowedIps.join("\n"),
    };
}

/** Undefined: nothing was changed. */
export function updateOf({tokenId = "", etag = ""}: AccessToken, base: EditForm, form: EditForm): UpdateAccessTokenRequest | undefined {
    const mine = {
        ...form,
        label: form.label.trim(),
        description: form.description.trim(),
        allowedDomains: splitLines(form.allowedDomains).join("\n"),
        allowedIps: splitLines(form.allowedIps).join("\n"),
    };
    const mask = changedFields(base, mine);
    if (mask.length === 0) return undefined;
    const expiresAt = fromLocalInput(mine.expiresAt);
    return {
        accessToken: {
            tokenId, etag, label: mine.label, description: mine.description, permissions: mine.permissions, ...(expiresAt && {expiresAt}),
            allowedDomains: splitLines(mine.allowedDomains), allowedIps: splitLines(mine.allowedIps),
        },
        updateMask: mask.join(","),
    };
}
