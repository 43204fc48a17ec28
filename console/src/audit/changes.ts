// What an event has changed: the fields of the object as they were and as they are.

export interface FieldChange {
    field: string;
    /** Undefined: the field, or the object, was not there. */
    before?: string;
    /** Undefined: it is gone. */
    after?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function parse(json: string | undefined): Record<string, unknown> {
    try {
        const value: unknown = JSON.parse(json || "{}");
        return isObject(value) ? flatten(value) : {};
    } catch {
        return {};
    }
}

/** What is in an object in the object counts by itself: `policy.login_lifetime`. */
function flatten(object: Record<string, unknown>, path = ""): Record<string, unknown> {
    return Object.assign({}, ...Object.entries(object).map(([name, value]) =>
        isObject(value) ? flatten(value, `${path}${name}.`) : {[path + name]: value}));
}

function text(value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
}

/** In the order in which the event has them. */
export function changesOf(before: string | undefined, after: string | undefined): FieldChange[] {
    const [was, is] = [parse(before), parse(after)];
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap(field => {
        const change = {before: text(was[field]), after: text(is[field])};
        if (change.before === change.after) return [];
        return {
            field,
            ...(change.before === undefined ? {} : {before: change.before}),
            ...(change.after === undefined ? {} : {after: change.after}),
        };
    });
}
