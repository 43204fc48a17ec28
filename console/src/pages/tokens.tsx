import type {JSX} from "preact";
import {frame} from "../strings.ts";
import {Page} from "../ui/page.tsx";

export default function Tokens(): JSX.Element {
    return <Page title={frame.links.tokens} />;
}
