// A draft of the whitelist: edited at leisure, previewed, published or thrown away.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {WhitelistDraft} from "../../gen/api.ts";
import type {PageProps} from "../app/routes.ts";
import {useRpc} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {drafts as strings, security} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";
import {Time} from "../ui/time.tsx";
import {DiscardDialog} from "../whitelist/discard_dialog.tsx";
import {ListParts} from "../whitelist/list_parts.tsx";
import {Preview} from "../whitelist/preview.tsx";
import {PublishDialog} from "../whitelist/publish_dialog.tsx";

export default function Draft({parts: {id = ""}}: PageProps): JSX.Element {
    const found = useRpc("WhitelistService", "GetWhitelistDraft", {draftId: id});
    return (
        <Page title={strings.pageTitle} actions={<ButtonLink href="/security">{strings.gone}</ButtonLink>}>
            <Loaded of={found}>{data => data.draft && <Parts draft={data.draft} onChanged={found.reload} />}</Loaded>
        </Page>
    );
}

function Parts({draft, onChanged}: {draft: WhitelistDraft; onChanged: () => void}): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.whitelist.manage");
    const {draftId = "", entryCount = "0"} = draft;
    return (
        <div class="stack">
            <ListParts place={{draftId, mayChange: mayManage, onChanged}} total={Number(entryCount)} isLive={false}>
                <DraftCard draft={draft} mayManage={mayManage} />
            </ListParts>
        </div>
    );
}

function DraftCard({draft: {draftId = "", entryCount = "0", createdAt, outdated}, mayManage}: {draft: WhitelistDraft; mayManage: boolean}): JSX.Element {
    const live = useRpc("WhitelistService", "GetWhitelist", {});
    const [dialog, setDialog] = useState<"publish" | "discard" | null>(null);
    const [previews, setPreviews] = useState(0);
    const close = (): void => setDialog(null);
    return (
        <section class="card stack" aria-labelledby="draft">
            <h2 id="draft">{strings.draft}</h2>
            <dl class="facts">
                <dt>{strings.begun}</dt><dd><Time at={createdAt} /></dd>
                <dt>{strings.entries}</dt><dd>{security.entryCount(Number(entryCount))}</dd>
            </dl>
            {outdated && <Note tone="warn"><p><strong>{strings.outdated}.</strong> {strings.outdatedText}</p></Note>}
            <div class="actions">
                <Button onClick={() => setPreviews(previews + 1)}>{strings.preview}</Button>
                {mayManage && <Button kind="primary" onClick={() => setDialog("publish")}>{strings.publish}</Button>}
                {mayManage && <Button kind="danger" onClick={() => setDialog("discard")}>{strings.discard}</Button>}
            </div>
            {previews > 0 && <Preview key={previews} request={{draftId}} />}
            {dialog === "publish" && <PublishDialog draftId={draftId} isOn={live.data?.whitelist?.enabled ?? true} onClose={close} />}
            {dialog === "discard" && <DiscardDialog draftId={draftId} onClose={close} />}
        </section>
    );
}
