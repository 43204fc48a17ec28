import type {JSX} from "preact";

/** An IP address, which breaks behind a colon where it has to, and nowhere else. */
export function Ip({address = ""}: {address: string | undefined}): JSX.Element {
    const groups = address.split(/(?<=:)/);
    return <code class="ip">{groups.map((group, index) => index === 0 ? group : [<wbr />, group])}</code>;
}
