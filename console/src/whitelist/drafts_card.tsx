import type {JSX} from "preact";
import type {WhitelistDraft} from "../../gen/api.ts";
import {Link, navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {drafts as strings} from "../strings.ts";
import {Badge} from "../ui/badge.tsx";
import {Button} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";

const COLUMNS: Column<WhitelistDraft>[] = [
    {title: strings.draft, cell: ({draftId = ""}) => <Link href={`/security/draft/${draftId}`}>{draftId}</Link>},
    {title: strings.entries, cell: ({entryCount = "0"}) => Number(entryCount).toLocaleString()},
    {title: strings.begun, cell: ({createdAt}) => <Time at={createdAt} />},
    {title: strings.state, cell: ({outdated}) => <Badge tone={outdated ? "warn" : "good"}>{outdated ? strings.outdated : strings.current}</Badge>},
];

export function DraftsCard({drafts, mayManage}: {drafts: WhitelistDraft[]; mayManage: boolean}): JSX.Element {
    const create = useChange("WhitelistService", "CreateWhitelistDraft");
    async function begin(empty: boolean): Promise<void> {
        const answer = await create.run({empty});
        if (answer?.draft?.draftId) navigate(`/security/draft/${answer.draft.draftId}`);
    }
    return (
        <section class="card stack" aria-labelledby="drafts">
            <h2 id="drafts">{strings.title}</h2>
            <p class="quiet">{strings.lead}</p>
            {drafts.length > 0 && <Table caption={strings.title} columns={COLUMNS} rows={drafts} keyOf={({draftId = ""}) => draftId} />}
            {mayManage && (
                <div class="actions">
                    <Button busy={create.busy} onClick={() => begin(false)}>{strings.copy}</Button>
                    <Button busy={create.busy} onClick={() => begin(true)}>{strings.empty}</Button>
                </div>
            )}
            {create.error && <ErrorBox error={create.error} />}
        </section>
    );
}
