// The company's access tokens, with filters.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken, TokenState} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import {useMemberNames} from "../member/names.ts";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {may, useSignedIn} from "../session/context.ts";
import {token as text, tokens} from "../strings.ts";
import {DeactivateManyDialog} from "../token/deactivate_many_dialog.tsx";
import {filterOf, isSet, NO_FILTER, type Filter} from "../token/filter.ts";
import {LastUse} from "../token/last_use.tsx";
import {ownerName, stateName, stateTone} from "../token/state.ts";
import {announce} from "../ui/announce.tsx";
import {Badge} from "../ui/badge.tsx";
import {Button, ButtonLink} from "../ui/button.tsx";
import {Email} from "../ui/email.tsx";
import {Empty} from "../ui/empty.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {useDebounced} from "../ui/use_debounced.ts";

const PAGE_SIZE = 50;
const STATES = [
    {value: "TOKEN_STATE_UNSPECIFIED" as TokenState, text: tokens.anyState},
    ...Object.entries(tokens.states).map(([value, text]) => ({value: value as TokenState, text})),
];

function useColumns(rows: AccessToken[]): Column<AccessToken>[] {
    const {caller} = useSignedIn();
    const nameOf = useMemberNames(rows.map(({memberId = ""}) => memberId));
    return [
        {title: tokens.columns.label, cell: token => <Link href={`/tokens/${token.tokenId}`}>{token.label}</Link>},
        {title: tokens.columns.owner, cell: token => <Email address={ownerName(token, caller.memberId, nameOf)} />},
        {title: tokens.columns.state, cell: ({state}) => <Badge tone={stateTone(state)}>{stateName(state)}</Badge>},
        {title: tokens.columns.lastUsed, cell: token => <LastUse of={token} />},
        {title: tokens.columns.expires, cell: ({expiresAt}) => <Time at={expiresAt} never={tokens.neverExpires} />},
    ];
}

export default function Tokens(): JSX.Element {
    const signedIn = useSignedIn();
    const mayManage = may(signedIn, "latchkey.tokens.manage");
    const [filter, setFilter] = useState(NO_FILTER);
    const [isEnding, setEnding] = useState(false);
    const asked = useDebounced(filter);
    const isFiltered = isSet(asked);
    const pages = usePages(async (token, signal) => {
        const request = {...filterOf(asked), pageSize: PAGE_SIZE, pageToken: token};
        const {accessTokens = [], nextPageToken = ""} = await call("TokenService", "ListAccessTokens", request, {signal});
        return {items: accessTokens, next: nextPageToken};
    }, JSON.stringify(asked));
    const columns = useColumns(pages.page.data?.items ?? []);
    const mayEnd = mayManage && isFiltered && asked.state !== "TOKEN_STATE_DEACTIVATED" && (pages.page.data?.items.length ?? 0) > 0;
    function ended(said: string): void {
        setEnding(false);
        announce(said);
        pages.page.reload();
    }
    return (
        <Page title={tokens.title} lead={tokens.lead} actions={mayManage && <CreateNew />}>
            <Filters filter={filter} ownMemberId={signedIn.caller.memberId ?? ""} onFilter={setFilter} />
            {mayEnd && <p class="filters"><Button kind="danger" onClick={() => setEnding(true)}>{text.deactivateMany}</Button></p>}
            {isEnding && <DeactivateManyDialog filter={asked} onClose={() => setEnding(false)} onDeactivated={ended} />}
            <Loaded of={pages.page}>
                {({items}) => items.length > 0
                    ? <Table caption={tokens.caption} columns={columns} rows={items} keyOf={({tokenId = ""}) => tokenId} />
                    : isFiltered ? <Empty title={tokens.noneFound} />
                    : <Empty title={tokens.none}>{mayManage && <p>{tokens.noneText}</p>}</Empty>}
            </Loaded>
            <Pager of={pages} />
        </Page>
    );
}

function CreateNew(): JSX.Element {
    return <ButtonLink kind="primary" href="/tokens/new">{tokens.createNew}</ButtonLink>;
}

interface FiltersProps {
    filter: Filter;
    ownMemberId: string;
    onFilter: (filter: Filter) => void;
}

function Filters({filter, ownMemberId, onFilter}: FiltersProps): JSX.Element {
    const owners = [{value: "", text: tokens.anyOwner}, ...ownMemberId ? [{value: ownMemberId, text: tokens.mine}] : []];
    return (
        <search class="row filters">
            <TextField label={tokens.search} type="search" value={filter.label} onValue={label => onFilter({...filter, label})} />
            <SelectField label={tokens.stateFilter} value={filter.state} options={STATES} onValue={state => onFilter({...filter, state})} />
            {owners.length > 1 &&
                <SelectField label={tokens.ownerFilter} value={filter.memberId} options={owners} onValue={memberId => onFilter({...filter, memberId})} />}
        </search>
    );
}
