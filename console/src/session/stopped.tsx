// What stands in the place of a page whose requests do not say for whom they are: it was loaded from another version of the console, or
// something on the way takes that from them.

import type {JSX} from "preact";
import {stopped as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";

export function Stopped(): JSX.Element {
    return (
        <Page title={strings.title}>
            <Note tone="warn" alert><p>{strings.text}</p></Note>
            <p class="actions after"><Button kind="primary" onClick={() => location.reload()}>{strings.reload}</Button></p>
        </Page>
    );
}
