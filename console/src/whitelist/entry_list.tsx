// The entries of a list of any length, with filters; each may be changed or removed.

import type {JSX} from "preact";
import {useMemo, useRef, useState} from "preact/hooks";
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
    {title: strings.note, cell: entry => <NoteCell entry={entry} />},
    {title: strings.state, cell: entry => <EntryBadge entry={entry} />},
    {title: strings.expires, cell: ({expiresAt}) => <Time at={expiresAt} never={strings.noEnd} />},
    {title: strings.lastHit, cell: ({lastHitAt}) => <Time at={lastHitAt} never={strings.never} />},
];

/** Rows that are made at once while one scrolls: few enough not to be felt, and two such pages below what is seen to be quick enough. */
const PAGE_SIZE = 50;

function NoteCell({entry: {note, owner, address = "", cidr = ""}}: {entry: WhitelistEntry}): JSX.Element {
    return (
        <>
            {note}{owner && <span class="quiet"> ({owner})</span>}
            {!cidr.startsWith(address) && <p class="hint">{strings.typed(address)}</p>}
        </>
    );
}

interface Opened {
    kind: "edit" | "remove";
    entry: WhitelistEntry;
}

const actionsColumn = (open: (what: Opened) => void): Column<WhitelistEntry> => ({
    title: strings.actions,
    isActions: true,
    cell: entry => (
        <div class="actions end">
            <Button onClick={() => open({kind: "edit", entry})} aria-label={strings.editOne(entry.cidr ?? "")}>{strings.edit}</Button>
            <Button kind="danger" onClick={() => open({kind: "remove", entry})} aria-label={strings.removeOne(entry.cidr ?? "")}>
                {strings.remove}
            </Button>
        </div>
    ),
});

interface EntryListProps {
    place: ListPlace;
    /** Another number: the list is another one now. */
    turn: number;
    total: number;
    isLive: boolean;
}

export function EntryList({place: {draftId, mayChange, onChanged}, turn, total, isLive}: EntryListProps): JSX.Element {
    const [filters, setFilters] = useState<Filters>(NO_FILTERS);
    const [open, setOpen] = useState<Opened | null>(null);
    const heading = useRef<HTMLHeadingElement>(null);
    const listKey = JSON.stringify([draftId, turn, filters]);
    const list = useWindow(async (pageToken, signal) => {
        const request = {draftId, pageToken, pageSize: PAGE_SIZE, ...filters};
        const {entries = [], nextPageToken = ""} = await call("WhitelistService", "ListWhitelistEntries", request, {signal});
        return {items: entries, next: nextPageToken};
    }, listKey);
    const close = (): void => setOpen(null);
    const isFiltered = JSON.stringify(filters) !== JSON.stringify(NO_FILTERS);
    const isEmpty = list.window.isWhole && list.window.pages.every(page => page.count === 0);
    const columns = useMemo(() => mayChange ? [...COLUMNS, actionsColumn(setOpen)] : COLUMNS, [mayChange]);
    return (
        <section class="stack" aria-labelledby="entries">
            <h2 id="entries" ref={heading} tabIndex={-1}>{strings.list}</h2>
            <EntryFilters onFilters={setFilters} />
            {isEmpty ? <Empty title={isFiltered ? strings.noneFound : strings.none}>{!isFiltered && <p>{strings.noneText}</p>}</Empty>
                : <LongTable key={listKey} class="entries" caption={strings.list} columns={columns} list={list} keyOf={({entryId = ""}) => entryId}
                    total={isFiltered ? undefined : total} more={strings.more} />}
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
                    heading.current?.focus(); // what had the focus is gone
                    onChanged();
                }} />
            )}
        </section>
    );
}
