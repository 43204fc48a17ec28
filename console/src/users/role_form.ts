// A role as the form has it, and back into an update that names only what was typed.

import type {Role, UpdateRoleRequest} from "../../gen/api.ts";
import {changedFields} from "../form/merge.ts";

export interface RoleForm extends Record<string, unknown> {
    name: string;
    permissions: string[];
}

export const NEW_ROLE: RoleForm = {name: "", permissions: []};

export const formOf = ({name = "", permissions = []}: Role): RoleForm => ({name, permissions: [...permissions].sort()});

/** Undefined: nothing was changed. */
export function updateOf({roleId = "", etag = ""}: Role, base: RoleForm, form: RoleForm): UpdateRoleRequest | undefined {
    const mine = {name: form.name.trim(), permissions: [...form.permissions].sort()};
    const mask = changedFields(base, mine);
    return mask.length > 0 ? {role: {roleId, etag, ...mine}, updateMask: mask.join(",")} : undefined;
}
