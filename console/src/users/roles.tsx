// The company's roles: all of them, by name, and as boxes to tick.

import type {JSX} from "preact";
import type {Role} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";
import {useLoad, type Loading} from "../rpc/use_load.ts";
import {member as strings} from "../strings.ts";
import {CheckField} from "../ui/field.tsx";

/** The page of them. */
export const ROLES = "/users?list=roles";

async function loadRoles(signal?: AbortSignal): Promise<Role[]> {
    const roles: Role[] = [];
    let pageToken = "";
    do {
        const page = await call("MemberService", "ListRoles", {pageSize: 1000, pageToken}, {signal});
        roles.push(...page.roles ?? []);
        pageToken = page.nextPageToken ?? "";
    } while (pageToken !== "");
    return roles.sort((a, b) => (a.name ?? "").localeCompare(b.name ?? ""));
}

/** There is no method that gets one. Undefined: it is gone. */
export const findRole = async (roleId: string, signal?: AbortSignal): Promise<Role | undefined> =>
    (await loadRoles(signal)).find(role => role.roleId === roleId);

export const useRoles = (): Loading<Role[]> => useLoad(loadRoles, "roles");

/** Names of the ids; an id that is not known stays as it is. */
export const roleNames = (roles: readonly Role[], ids: readonly string[]): string[] =>
    ids.map(id => roles.find(role => role.roleId === id)?.name ?? id);

interface RoleBoxesProps {
    roles: readonly Role[];
    chosen: readonly string[];
    onChosen: (ids: string[]) => void;
    hint?: string;
    error?: string | undefined;
}

export function RoleBoxes({roles, chosen, onChosen, hint, error}: RoleBoxesProps): JSX.Element {
    const toggle = (id: string, isOn: boolean): void => onChosen(isOn ? [...chosen, id] : chosen.filter(each => each !== id));
    return (
        <fieldset>
            <legend>{strings.roles}</legend>
            {hint && <p class="hint">{hint}</p>}
            {roles.map(({roleId = "", name = "", builtIn}) => (
                <CheckField key={roleId} label={name} hint={builtIn ? strings.builtIn : undefined} checked={chosen.includes(roleId)}
                    onChecked={isOn => toggle(roleId, isOn)} />
            ))}
            {error && <p class="field-error" role="alert">{error}</p>}
        </fieldset>
    );
}
