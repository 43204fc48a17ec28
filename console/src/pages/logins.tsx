// Recent authentications: who signed in or was refused, with *Deactivate* on each session that lives.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {LoginToken, RecentAuthentication} from "../../gen/api.ts";
import {DeactivateLoginDialog} from "../login/deactivate_dialog.tsx";
import {agentName} from "../login/agent.ts";
import {useMemberNames} from "../member/names.ts";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {may, useSignedIn} from "../session/context.ts";
import {logins, refusals, tokens} from "../strings.ts";
import {localTime} from "../time/format.ts";
import {stateTone} from "../token/state.ts";
import {announce} from "../ui/announce.tsx";
import {Badge} from "../ui/badge.tsx";
import {Button} from "../ui/button.tsx";
import {Empty} from "../ui/empty.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";

const PAGE_SIZE = 25;

export default function Logins(): JSX.Element {
    const [ending, setEnding] = useState<LoginToken | null>(null);
    const pages = usePages(async (token, signal) => {
        const page = await call("TokenService", "ListRecentAuthentications", {pageSize: PAGE_SIZE, pageToken: token}, {signal});
        return {items: page.authentications ?? [], next: page.nextPageToken ?? ""};
    }, "");
    const columns = useColumns(pages.page.data?.items ?? [], setEnding);
    function ended(): void {
        setEnding(null);
        announce(logins.ended);
        pages.page.reload();
    }
    return (
        <Page title={logins.title} lead={logins.lead}>
            <Loaded of={pages.page}>
                {({items}) => items.length > 0 ? <Table caption={logins.caption} columns={columns} rows={items} keyOf={keyOf} /> : <Empty title={logins.none} />}
            </Loaded>
            <Pager of={pages} />
            {ending && <DeactivateLoginDialog login={ending} onClose={() => setEnding(null)} onEnded={ended} />}
        </Page>
    );
}

function keyOf({loginToken, at, memberId, clientIp}: RecentAuthentication): string {
    return loginToken?.tokenId ?? [at, memberId, clientIp].join(" ");
}

function useColumns(rows: RecentAuthentication[], onEnd: (login: LoginToken) => void): Column<RecentAuthentication>[] {
    const signedIn = useSignedIn();
    const {caller} = signedIn;
    const nameOf = useMemberNames(rows.map(({memberId = ""}) => memberId));
    const whoOf = ({memberId = ""}: RecentAuthentication): string => memberId === caller.memberId ? logins.you : nameOf(memberId);
    const mayEnd = ({memberId, state}: LoginToken): boolean =>
        state === "TOKEN_STATE_ACTIVE" && (memberId === caller.memberId || may(signedIn, "latchkey.logins.manage"));
    return [
        {title: logins.columns.who, cell: row => whoOf(row)},
        {title: logins.columns.at, cell: ({at}) => <Time at={at} />},
        {title: logins.columns.address, cell: ({clientIp}) => clientIp},
        {title: logins.columns.agent, cell: ({userAgent = ""}) => <span title={userAgent}>{agentName(userAgent)}</span>},
        {title: logins.columns.state, cell: row => <State of={row} ownTokenId={caller.tokenId} />},
        {
            title: logins.columns.actions, isActions: true,
            cell: row => row.loginToken && mayEnd(row.loginToken) && (
                <Button onClick={() => row.loginToken && onEnd(row.loginToken)} aria-label={logins.deactivateOf(whoOf(row), localTime(row.at ?? ""))}>
                    {logins.deactivate}
                </Button>
            ),
        },
    ];
}

function State({of: {loginToken, refusedReason, count = "1"}, ownTokenId}: {of: RecentAuthentication; ownTokenId: string | undefined}): JSX.Element {
    if (!loginToken) {
        return (
            <>
                <Badge tone="bad">{logins.refused(refusals[refusedReason ?? ""] ?? tokens.unknownState)}</Badge>
                {count !== "1" && <> <span class="quiet">{logins.times(count)}</span></>}
            </>
        );
    }
    const isOwn = loginToken.tokenId === ownTokenId;
    return <Badge tone={stateTone(loginToken.state)}>{isOwn ? logins.thisOne : tokens.states[loginToken.state ?? ""] ?? tokens.unknownState}</Badge>;
}
