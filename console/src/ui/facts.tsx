import type {ComponentChildren, JSX} from "preact";

/** Names and what they are; a fact without a value is left out. */
export function Facts({facts}: {facts: readonly (readonly [name: string, value: ComponentChildren])[]}): JSX.Element {
    const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "");
    return <dl class="facts">{known.map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}</dl>;
}
