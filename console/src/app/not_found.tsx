import type {JSX} from "preact";
import {frame} from "../strings.ts";
import {ButtonLink} from "../ui/button.tsx";
import {Page} from "../ui/page.tsx";

export function NotFound(): JSX.Element {
    return (
        <Page title={frame.notFound} lead={frame.notFoundText}>
            <p><ButtonLink href="/tokens">{frame.goHome}</ButtonLink></p>
        </Page>
    );
}
