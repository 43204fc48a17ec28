import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {judgeAddress} from "../ip/judge.ts";
import {entries as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {CheckField, TextField} from "../ui/field.tsx";

/** As ListWhitelistEntries takes them. */
export interface Filters {
    containsIp: string;
    noteContains: string;
    neverHit: boolean;
}

export const NO_FILTERS: Filters = {containsIp: "", noteContains: "", neverHit: false};

export function EntryFilters({onFilters}: {onFilters: (filters: Filters) => void}): JSX.Element {
    const [typed, setTyped] = useState(NO_FILTERS);
    const [problem, setProblem] = useState<string | undefined>(undefined);
    function submit(event: Event): void {
        event.preventDefault();
        const filters = {...typed, containsIp: typed.containsIp.trim(), noteContains: typed.noteContains.trim()};
        const wrong = filters.containsIp === "" ? undefined : judgeAddress(filters.containsIp);
        setProblem(wrong);
        if (!wrong) onFilters(filters);
    }
    return (
        <form class="row" role="search" aria-label={strings.list} onSubmit={submit}>
            <TextField label={strings.find} value={typed.containsIp} onValue={containsIp => setTyped({...typed, containsIp})} error={problem} autocomplete="off" />
            <TextField label={strings.findNote} value={typed.noteContains} onValue={noteContains => setTyped({...typed, noteContains})} autocomplete="off" />
            <CheckField label={strings.neverHit} checked={typed.neverHit} onChecked={neverHit => setTyped({...typed, neverHit})} />
            <Button type="submit">{strings.filter}</Button>
        </form>
    );
}
