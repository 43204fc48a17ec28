// What is left of a page whose session has become somebody else's.

import type {JSX} from "preact";
import {somebodyElse as strings} from "../strings.ts";
import {ButtonLink} from "../ui/button.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";

export default function SomebodyElse(): JSX.Element {
    return (
        <Page title={strings.title}>
            <Note tone="warn" alert><p>{strings.text}</p></Note>
            <p class="actions after"><ButtonLink kind="primary" href="/">{strings.goOn}</ButtonLink></p>
        </Page>
    );
}
