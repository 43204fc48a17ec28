// A member as the form has it, and back into an update that names only what was typed.

import type {Member, UpdateMemberRequest} from "../../gen/api.ts";
import {changedFields} from "../form/merge.ts";
import {splitLines} from "../ui/lines.ts";

export interface MemberForm extends Record<string, unknown> {
    email: string;
    displayName: string;
    roleIds: string[];
    /** One a line. */
    allowedIps: string;
}

export const formOf = ({email = "", displayName = "", roleIds = [], allowedIps = []}: Member): MemberForm =>
    ({email, displayName, roleIds: [...roleIds].sort(), allowedIps: allowedIps.join("\n")});

/** Undefined: nothing was changed. */
export function updateOf({memberId = "", etag = ""}: Member, base: MemberForm, form: MemberForm): UpdateMemberRequest | undefined {
    const normal = {...form, roleIds: [...form.roleIds].sort(), allowedIps: splitLines(form.allowedIps).join("\n")};
    const mask = changedFields(base, normal);
    if (mask.length === 0) return undefined;
    return {
        member: {
            memberId, etag, email: normal.email.trim(), displayName: normal.displayName.trim(), roleIds: normal.roleIds,
            allowedIps: splitLines(normal.allowedIps),
        },
        updateMask: mask.join(","),
    };
}
