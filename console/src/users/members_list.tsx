import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Member, MemberState, Role} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {users as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Email} from "../ui/email.tsx";
import {Empty} from "../ui/empty.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {roleNames, useRoles} from "./roles.tsx";
import {MemberBadge} from "./words.tsx";

const STATES: readonly {value: MemberState; text: string}[] = [
    {value: "MEMBER_STATE_ACTIVE", text: strings.memberStates.MEMBER_STATE_ACTIVE},
    {value: "MEMBER_STATE_REMOVED", text: strings.memberStates.MEMBER_STATE_REMOVED},
    {value: "MEMBER_STATE_UNSPECIFIED", text: strings.anyState},
];

function columnsOf(roles: readonly Role[]): Column<Member>[] {
    return [
        {title: strings.name, cell: ({memberId = "", email = ""}) => <Link href={`/users/${memberId}`}><Email address={email} /></Link>},
        {title: strings.displayName, cell: ({displayName}) => displayName},
        {title: strings.roles, cell: ({roleIds = []}) => roleIds.length > 0 ? roleNames(roles, roleIds).join(", ") : strings.noRole},
        {title: strings.ips, cell: ({allowedIps = []}) => allowedIps.length > 0 ? strings.ipCount(allowedIps.length) : strings.anyIp},
        {title: strings.state, cell: ({state}) => <MemberBadge state={state} />},
        {title: strings.since, cell: ({createdAt}) => <Time at={createdAt} />},
    ];
}

export function MembersList(): JSX.Element {
    const [typed, setTyped] = useState("");
    const [nameContains, setName] = useState("");
    const [state, setState] = useState<MemberState>("MEMBER_STATE_ACTIVE");
    const roles = useRoles();
    const pages = usePages(async (pageToken, signal) => {
        const {members = [], nextPageToken = ""} = await call("MemberService", "ListMembers", {pageToken, nameContains, state}, {signal});
        return {items: members, next: nextPageToken};
    }, JSON.stringify([nameContains, state]));
    function submit(event: Event): void {
        event.preventDefault();
        setName(typed.trim());
    }
    return (
        <>
            <form class="row filters" role="search" onSubmit={submit}>
                <TextField label={strings.find} type="search" value={typed} onValue={setTyped} />
                <SelectField label={strings.state} value={state} onValue={setState} options={STATES} />
                <Button type="submit">{strings.filter}</Button>
            </form>
            <Loaded of={pages.page}>
                {({items}) => items.length > 0
                    ? <Table caption={strings.members} columns={columnsOf(roles.data ?? [])} rows={items} keyOf={({memberId = ""}) => memberId} />
                    : <Empty title={strings.noMembers} />}
            </Loaded>
            <Pager of={pages} />
        </>
    );
}
