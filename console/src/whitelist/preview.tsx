// Whom a change would have refused, of those who came in the last 30 days, and whether it refuses the own address.

import type {JSX} from "preact";
import type {PreviewWhitelistRequest, PreviewWhitelistResponse, WhitelistRefusal} from "../../gen/api.ts";
import {useRpc} from "../rpc/use_load.ts";
import {ownAddress, preview as strings} from "../strings.ts";
import {Email} from "../ui/email.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";

const SHOWN_MAX = 5;

const COLUMNS: Column<WhitelistRefusal>[] = [
    {title: strings.who, cell: ({label, memberId, tokenId}) => <Email address={label || memberId || tokenId || ""} />},
    {title: strings.address, cell: ({clientIp}) => <code>{clientIp}</code>},
    {title: strings.at, cell: ({at}) => <Time at={at} />},
];

export function Preview({request}: {request: PreviewWhitelistRequest}): JSX.Element {
    const found = useRpc("WhitelistService", "PreviewWhitelist", request);
    return <Loaded of={found} rows={2}>{data => <PreviewResult found={data} />}</Loaded>;
}

function PreviewResult({found}: {found: PreviewWhitelistResponse}): JSX.Element {
    const {refusedLogins = [], refusedTokens = [], refusedLoginCount = "0", refusedTokenCount = "0", locksOutCaller, clientIp} = found;
    const counts = [Number(refusedLoginCount), Number(refusedTokenCount)] as const;
    return (
        <div class="stack" role="status">
            {locksOutCaller && (
                <Note tone="danger"><p><strong>{strings.lockOut}</strong> {ownAddress.seen} <code>{clientIp}</code>.</p></Note>
            )}
            <p>{counts[0] + counts[1] === 0 ? strings.nobody : strings.refused(...counts)}</p>
            <Refusals title={strings.logins} rows={refusedLogins} count={counts[0]} />
            <Refusals title={strings.tokens} rows={refusedTokens} count={counts[1]} />
        </div>
    );
}

function Refusals({title, rows, count}: {title: string; rows: WhitelistRefusal[]; count: number}): JSX.Element | null {
    if (rows.length === 0) return null;
    return (
        <div>
            <h3>{title}</h3>
            <Table caption={title} columns={COLUMNS} rows={rows.slice(0, SHOWN_MAX)} keyOf={(_, index) => String(index)} />
            {count > SHOWN_MAX && <p class="hint">{strings.shown(SHOWN_MAX)}</p>}
        </div>
    );
}
