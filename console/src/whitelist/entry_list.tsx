// The entries of a list of any length, with filters; each may be changed or removed.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {WhitelistEntry} from "../../gen/api.ts";
import {LongTable} from "../list/long_table.tsx";
import {useWindow} from "../list/use_window.ts";
import {call} from "../rpc/call.ts";
import {entries as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Empty} from "../ui/empty.tsx";
import type {Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {EditEntry} from "./edit_entry.tsx";
import {EntryBadge} from "./entry_badge.tsx";
import {EntryFilters, NO_FILTERS, type Filters} from "./entry_filters.tsx";
import type {ListPlace} from "./place.ts";
import {RemoveEntry} from "./remove_entry.tsx";

const COLUMNS: Column<WhitelistEntry>[] = [
    {title: strings.range, cell: ({cidr}) => <code>{cidr}</code>},
    {title: strings.typed, cell: ({address}) => <code>{address}</code>},
    {title: strings.note, cell: ({note, owner}) => <>{note}{owner && <span class="quiet"> ({owner})</span>}</>},
    {title: strings.state, cell: entry => <EntryBadge entry={entry} />},
    {title: strings.expires, cell: ({expiresAt}) => <Time at={expiresAt} never={strings.noEnd} />},
    {title: strings.lastHit, cell: ({lastHitAt}) => <Time at={lastHitAt} never={strings.never} />},
];

interface EntryListProps {
    place: ListPlace;
    /** Another number: the list is another one now. */
    turn: number;
    total: number;
    isLive: boolean;
}

export function EntryList({place: {draftId, mayChange, onChanged}, turn, total, isLive}: EntryListProps): JSX.Element {
    const [filters, setFilters] = useState<Filters>(NO_FILTERS);
    const [open, setOpen] = useState<{kind: "edit" | "remove"; entry: WhitelistEntry} | null>(null);
    const list = useWindow(async (pageToken, signal) => {
        const {entries = [], nextPageToken = ""} = await call("WhitelistService", "ListWhitelistEntries", {draftId, pageToken, ...filters}, {signal});
        return {items: entries, next: nextPageToken};
    }, JSON.stringify([draftId, turn, filters]));
    const close = (): void => setOpen(null);
    const isFiltered = JSON.stringify(filters) !== JSON.stringify(NO_FILTERS);
    const isEmpty = list.window.isWhole && list.window.pages.every(page => page.count === 0);
    const columns = mayChange ? [...COLUMNS, {
        title: strings.actions, isActions: true, cell: (entry: WhitelistEntry) => (
            <div class="actions end">
                <Button onClick={() => setOpen({kind: "edit", entry})} aria-label={strings.editOne(entry.cidr ?? "")}>{strings.edit}</Button>
                <Button kind="danger" onClick={() => setOpen({kind: "remove", entry})} aria-label={strings.removeOne(entry.cidr ?? "")}>{strings.remove}</Button>
            </div>
        ),
    }] : COLUMNS;
    return (
        <section class="stack" aria-labelledby="entries">
            <h2 id="entries">{strings.list}</h2>
            <EntryFilters onFilters={setFilters} />
            {isEmpty ? <Empty title={isFiltered ? strings.noneFound : strings.none}>{!isFiltered && <p>{strings.noneText}</p>}</Empty>
                : <LongTable caption={strings.list} columns={columns} list={list} keyOf={({entryId = ""}) => entryId} total={isFiltered ? undefined : total}
                    more={strings.more} />}
            {open?.kind === "edit" && (
                <EditEntry entry={open.entry} draftId={draftId} onClose={close} onSaved={entry => {
                    list.replace(row => row.entryId === entry.entryId, entry);
                    close();
                    onChanged();
                }} />
            )}
            {open?.kind === "remove" && (
                <RemoveEntry entry={open.entry} draftId={draftId} isLive={isLive} onClose={close} onRemoved={id => {
                    list.remove(row => row.entryId === id);
                    close();
                    onChanged();
                }} />
            )}
        </section>
    );
}
