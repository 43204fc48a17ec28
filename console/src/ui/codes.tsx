import type {JSX} from "preact";

/** Names and addresses as programs write them; at most so many, and how many more there are. */
export function Codes({of, most = of.length, more}: {of: readonly string[]; most?: number; more?: (count: number) => string}): JSX.Element {
    return (
        <ul class="codes">
            {of.slice(0, most).map(each => <li key={each}><code>{each}</code></li>)}
            {more && of.length > most && <li class="quiet">{more(of.length - most)}</li>}
        </ul>
    );
}
