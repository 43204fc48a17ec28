import type {JSX} from "preact";

/** An e-mail address, which breaks before its @ where it has to. */
export function Email({address}: {address: string}): JSX.Element {
    const at = address.lastIndexOf("@");
    return at < 0 ? <>{address}</> : <>{address.slice(0, at)}<wbr />{address.slice(at)}</>;
}
