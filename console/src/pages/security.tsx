// The live whitelist.

import type {JSX} from "preact";
import {useEffect, useRef} from "preact/hooks";
import type {GetWhitelistResponse, Whitelist} from "../../gen/api.ts";
import {useRpc} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {confirmation, security as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {ConfirmationNote} from "../whitelist/confirmation_note.tsx";
import {DraftsCard} from "../whitelist/drafts_card.tsx";
import {ListParts} from "../whitelist/list_parts.tsx";
import {SettingsCard} from "../whitelist/settings_card.tsx";

export default function Security(): JSX.Element {
    const found = useRpc("WhitelistService", "GetWhitelist", {});
    return (
        <Page title={strings.title} lead={strings.lead}>
            <Loaded of={found}>{data => <Parts found={data} onChanged={found.reload} />}</Loaded>
        </Page>
    );
}

/** Says that nobody has kept it in time. A list that came back looks like one that was kept, but for its entries. */
function useLapse(whitelist: Whitelist): void {
    const before = useRef(whitelist);
    useEffect(() => {
        const {confirmBy, enabled, scope, unconfirmed = "WHITELIST_UNCONFIRMED_UNSPECIFIED"} = before.current;
        const isBack = whitelist.enabled !== enabled || whitelist.scope !== scope;
        if (confirmBy && !whitelist.confirmBy && isBack && Date.parse(confirmBy) <= Date.now()) announce(confirmation.kinds[unconfirmed].lapsed);
        before.current = whitelist;
    }, [whitelist]);
}

function Parts({found: {whitelist = {}, drafts = []}, onChanged}: {found: GetWhitelistResponse; onChanged: () => void}): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.whitelist.manage");
    const {confirmBy, unconfirmed = "WHITELIST_UNCONFIRMED_LIST", enabled = false, entryCount = "0"} = whitelist;
    // Entries that are not those of a list which may go stay, and may be edited.
    const listWaits = confirmBy && unconfirmed === "WHITELIST_UNCONFIRMED_LIST" ? confirmBy : "";
    const place = {draftId: "", mayChange: mayManage && !listWaits, onChanged};
    useLapse(whitelist);
    return (
        <div class="stack">
            {confirmBy && <ConfirmationNote confirmBy={confirmBy} unconfirmed={unconfirmed} mayManage={mayManage} onChanged={onChanged} />}
            <ListParts key={listWaits} place={place} total={Number(entryCount)} isLive={enabled}>
                <SettingsCard whitelist={whitelist} mayManage={mayManage} onChanged={onChanged} />
                <DraftsCard drafts={drafts} mayManage={mayManage} />
            </ListParts>
        </div>
    );
}
