import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {entries as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {AddRows} from "./add_rows.tsx";
import {PasteForm} from "./paste_form.tsx";
import type {ListPlace} from "./place.ts";

/** Typed rows, or a whole list; what is typed in the one stays while the other is open. */
export function AddCard({place}: {place: ListPlace}): JSX.Element {
    const [isPasting, setPasting] = useState(false);
    return (
        <section class="card stack" aria-labelledby="add-entries">
            <div class="card-head">
                <h2 id="add-entries">{strings.addTitle}</h2>
                <Button aria-expanded={isPasting} aria-controls="paste-list" onClick={() => setPasting(!isPasting)}>{strings.pasteTitle}</Button>
            </div>
            <AddRows place={place} />
            <div id="paste-list" hidden={!isPasting}><PasteForm place={place} /></div>
        </section>
    );
}
