// What a page about a list has in any case, live or draft: the own address where it is missing, adding, looking for an address, entries.

import type {ComponentChildren, JSX} from "preact";
import {useState} from "preact/hooks";
import {useRpc} from "../rpc/use_load.ts";
import {AddCard} from "./add_card.tsx";
import {CheckCard} from "./check_card.tsx";
import {EntryList} from "./entry_list.tsx";
import {OwnAddress} from "./own_address.tsx";
import type {ListPlace} from "./place.ts";

interface ListPartsProps {
    place: ListPlace;
    total: number;
    isLive: boolean;
    /** Between the own address and adding. */
    children?: ComponentChildren;
}

export function ListParts({place, total, isLive, children}: ListPartsProps): JSX.Element {
    const [turn, setTurn] = useState(0);
    const own = useRpc("WhitelistService", "CheckIp", {draftId: place.draftId});
    const changed = {...place, onChanged: () => { own.reload(); place.onChanged(); }};
    // What was added stands at the list's beginning; a row that was changed or removed is put right where it is.
    const grown = {...changed, onChanged: () => { setTurn(turn + 1); changed.onChanged(); }};
    return (
        <>
            <OwnAddress found={own} place={grown} />
            {children}
            {place.mayChange && <AddCard place={grown} />}
            <CheckCard draftId={place.draftId} />
            <EntryList place={changed} turn={turn} total={total} isLive={isLive} />
        </>
    );
}
