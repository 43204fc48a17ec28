// The live whitelist.

import type {JSX} from "preact";
import type {GetWhitelistResponse} from "../../gen/api.ts";
import {useRpc} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {security as strings} from "../strings.ts";
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

function Parts({found: {whitelist = {}, drafts = []}, onChanged}: {found: GetWhitelistResponse; onChanged: () => void}): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.whitelist.manage");
    const {confirmBy, enabled = false, entryCount = "0"} = whitelist;
    const place = {draftId: "", mayChange: mayManage && !confirmBy, onChanged};
    return (
        <div class="stack">
            {confirmBy && <ConfirmationNote confirmBy={confirmBy} mayManage={mayManage} onChanged={onChanged} />}
            <ListParts key={confirmBy ?? ""} place={place} total={Number(entryCount)} isLive={enabled}>
                <SettingsCard whitelist={whitelist} mayManage={mayManage} onChanged={onChanged} />
                <DraftsCard drafts={drafts} mayManage={mayManage} />
            </ListParts>
        </div>
    );
}
