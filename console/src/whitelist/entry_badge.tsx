import type {JSX} from "preact";
import type {WhitelistEntry} from "../../gen/api.ts";
import {entries as strings} from "../strings.ts";
import {Badge, type Tone} from "../ui/badge.tsx";
import {stateOf, type EntryState} from "./entry_state.ts";

const TONES: Record<EntryState, Tone> = {on: "good", disabled: "calm", expired: "bad"};

export function EntryBadge({entry}: {entry: WhitelistEntry}): JSX.Element {
    const state = stateOf(entry, Date.now());
    return <Badge tone={TONES[state]}>{strings.states[state]}</Badge>;
}
