import type {ComponentChildren, JSX} from "preact";
import type {AccessToken, AccessTokenSecret} from "../../gen/api.ts";
import {useMemberNames} from "../member/names.ts";
import {useSignedIn} from "../session/context.ts";
import {token as text, tokens} from "../strings.ts";
import {Badge} from "../ui/badge.tsx";
import {Codes} from "../ui/codes.tsx";
import {Facts} from "../ui/facts.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {LastUse} from "./last_use.tsx";
import {ownerName, stateName, stateTone} from "./state.ts";

function codes(values: string[] | undefined, none: string): ComponentChildren {
    return values?.length ? <Codes of={values} /> : none;
}

export function TokenFacts({token}: {token: AccessToken}): JSX.Element {
    const {caller} = useSignedIn();
    const nameOf = useMemberNames([token.memberId ?? ""]);
    const isSuspended = token.state === "TOKEN_STATE_SUSPENDED";
    return <Facts facts={[
        [text.state, <Badge tone={stateTone(token.state)}>{stateName(token.state)}</Badge>],
        [text.suspendedUntil, isSuspended && <Time at={token.suspendedUntil} never={text.untilResumed} />],
        [text.deactivated, token.deactivatedAt && <Deactivated token={token} />],
        [text.description, token.description],
        [text.owner, ownerName(token, caller.memberId, nameOf)],
        [text.channels, token.channels?.map(channel => text.channelNames[channel]).join(", ")],
        [text.permissions, codes(token.permissions, text.noPermissions)],
        [text.notBefore, token.notBefore && <Time at={token.notBefore} />],
        [text.expires, <Time at={token.expiresAt} never={tokens.neverExpires} />],
        [text.domains, token.channels?.includes("CHANNEL_UI") && codes(token.allowedDomains, text.any)],
        [text.ips, codes(token.allowedIps, text.any)],
        [text.lastUsed, <><LastUse of={token} /> {token.lastUsedBy && <span class="quiet">{text.askedBy(token.lastUsedBy)}</span>}</>],
        [text.created, <><Time at={token.createdAt} /> <span class="quiet">{token.createdBy === caller.memberId ? "" : token.createdBy}</span></>],
        [text.externalId, token.externalId],
        [text.id, <code>{token.tokenId}</code>],
    ]} />;
}

function Deactivated({token: {deactivatedAt, deactivateReason, deactivateNote}}: {token: AccessToken}): JSX.Element {
    return <><Time at={deactivatedAt} /> <span class="quiet">{[text.reasons[deactivateReason ?? ""], deactivateNote].filter(Boolean).join(": ")}</span></>;
}

const COLUMNS: Column<AccessTokenSecret>[] = [
    {title: text.hint, cell: ({hint}) => <code>{hint}</code>},
    {title: text.secretMade, cell: ({createdAt}) => <Time at={createdAt} />},
    {title: text.lastUsed, cell: secret => <LastUse of={secret} />},
    {title: text.secretEnds, cell: ({expiresAt}) => <Time at={expiresAt} never={text.withToken} />},
];

export function TokenSecrets({secrets}: {secrets: AccessTokenSecret[]}): JSX.Element | null {
    if (secrets.length === 0) return null;
    return (
        <section>
            <h2>{text.secretsTitle}</h2>
            <Table caption={text.secretsTitle} columns={COLUMNS} rows={secrets} keyOf={({hint = ""}, index) => `${hint} ${index}`} />
        </section>
    );
}
