// The form of an amendment: what came between and what would lock one out stand above its fields.

import type {ComponentChildren, JSX} from "preact";
import {Form} from "../ui/form.tsx";
import {ClashNote, isStale} from "./clash_note.tsx";
import {isLockOut, LockOut} from "./lock_out.tsx";
import type {Amendment} from "./use_amendment.ts";

interface AmendFormProps<F> {
    of: Amendment<F>;
    /** What the form calls its fields. */
    labels: Record<string, string>;
    /** How a clash shows what is in one. */
    textOf?: (field: string, value: unknown) => string;
    /** What the request calls the object; its fields are named as the form's. */
    path: string;
    actions: ComponentChildren;
    children: ComponentChildren;
}

/** Lists are typed one a line. */
const plainText = (_: string, value: unknown): string => Array.isArray(value) ? value.join(", ") : String(value).replaceAll("\n", ", ");

export function AmendForm<F>({of, labels, textOf = plainText, path, actions, children}: AmendFormProps<F>): JSX.Element {
    const {error, clashes, busy} = of;
    const hasNoteOfItsOwn = isStale(error) || isLockOut(error);
    return (
        <Form onSubmit={() => of.save()} error={hasNoteOfItsOwn ? undefined : error} ownFields={Object.keys(labels).map(name => `${path}.${name}`)}
            actions={actions}>
            <ClashNote error={error} clashes={clashes} labelOf={field => labels[field] ?? field} textOf={textOf} onLoad={of.loadAnew} />
            {error && isLockOut(error) && <LockOut error={error} busy={busy} onForce={() => of.save(true)} />}
            {children}
        </Form>
    );
}
