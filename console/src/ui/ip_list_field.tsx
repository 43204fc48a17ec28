import type {ComponentChildren, JSX} from "preact";
import {judgeRange} from "../ip/judge.ts";
import {LinesField} from "./lines_field.tsx";

interface IpListFieldProps {
    label: string;
    hint?: ComponentChildren;
    error?: string | undefined;
    value: string;
    onValue: (value: string) => void;
}

/** A list of addresses and ranges, one a line. */
export function IpListField(props: IpListFieldProps): JSX.Element {
    return <LinesField {...props} judge={judgeRange} />;
}
