// The own address as the server sees it, where the list does not hold it: with one press it does.

import type {JSX} from "preact";
import {useChange} from "../rpc/use_change.ts";
import type {Loading} from "../rpc/use_load.ts";
import type {CheckIpResponse} from "../../gen/api.ts";
import {ownAddress as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Note} from "../ui/note.tsx";
import type {ListPlace} from "./place.ts";

export function OwnAddress({found, place: {draftId, mayChange, onChanged}}: {found: Loading<CheckIpResponse>; place: ListPlace}): JSX.Element | null {
    const add = useChange("WhitelistService", "AddWhitelistEntries");
    if (!found.data || found.data.listed || !found.data.clientIp) return null;
    const {clientIp, enabled} = found.data;
    async function run(): Promise<void> {
        if (!await add.run({draftId, entries: [{address: clientIp, note: strings.note}]})) return;
        announce(strings.added(clientIp));
        onChanged();
    }
    return (
        <Note tone="warn">
            <p><strong>{strings.unlisted}</strong> {strings.seen} <code>{clientIp}</code>. {!(enabled && draftId === "") && strings.wouldRefuse}</p>
            {mayChange && <Button busy={add.busy} onClick={run}>{strings.add}</Button>}
            {add.error && <ErrorBox error={add.error} onRetry={run} />}
        </Note>
    );
}
