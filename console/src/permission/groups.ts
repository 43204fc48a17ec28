// The catalogue of permissions as a person chooses from it: by resource, what the deployment's own are before Latchkey's.

import type {Permission} from "../../gen/api.ts";

export interface PermissionItem {
    name: string;
    description: string;
    /** The caller may give it. */
    isHeld: boolean;
}

export interface PermissionGroup {
    /** What its names have before their last dot. */
    resource: string;
    /** All of it, and what is added later. */
    wildcard: string;
    items: PermissionItem[];
    /** The caller holds all of its names. Whether the group itself is held is the server's to know. */
    isHeld: boolean;
}

const OWN = "latchkey.";

function resourceOf(name: string): string {
    return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

function compare(a: PermissionGroup, b: PermissionGroup): number {
    const own = Number(a.wildcard.startsWith(OWN)) - Number(b.wildcard.startsWith(OWN));
    return own || (a.resource < b.resource ? -1 : 1);
}

export function groupPermissions(catalogue: readonly Permission[], held: readonly string[]): PermissionGroup[] {
    const holds = new Set(held);
    const items = new Map<string, PermissionItem[]>();
    for (const {name = "", description = ""} of catalogue) {
        const resource = resourceOf(name);
        const item = {name, description, isHeld: holds.has(name)};
        items.set(resource, [...items.get(resource) ?? [], item]);
    }
    return [...items].map(([resource, of]) => ({resource, wildcard: `${resource}.*`, items: of, isHeld: of.every(({isHeld}) => isHeld)}))
        .sort(compare);
}

/** Those with the text in a name or a description, groups without any left out. */
export function findPermissions(groups: readonly PermissionGroup[], text: string): PermissionGroup[] {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return [...groups];
    const has = ({name, description}: PermissionItem): boolean => `${name} ${description}`.toLowerCase().includes(wanted);
    return groups.map(group => ({...group, items: group.items.filter(has)})).filter(({items}) => items.length > 0);
}

/** What is chosen and stands in no group: a group without names, or a name that the catalogue does not show. */
export function strangersIn(chosen: readonly string[], groups: readonly PermissionGroup[]): string[] {
    const known = new Set(groups.flatMap(({wildcard, items}) => [wildcard, ...items.map(({name}) => name)]));
    return chosen.filter(name => !known.has(name));
}

/** With `name` chosen or not; a group takes the place of its names. */
export function choose(chosen: readonly string[], name: string, isChosen: boolean): string[] {
    const isInGroup = (other: string): boolean => name.endsWith(".*") && `${resourceOf(other)}.*` === name;
    const others = chosen.filter(other => other !== name && !(isChosen && isInGroup(other)));
    return isChosen ? [...others, name].sort() : others;
}
