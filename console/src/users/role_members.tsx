import type {JSX} from "preact";
import type {Member} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {roles as strings, users} from "../strings.ts";
import {Email} from "../ui/email.tsx";
import {Empty} from "../ui/empty.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";

const COLUMNS: Column<Member>[] = [
    {title: users.name, cell: ({memberId = "", email = ""}) => <Link href={`/users/${memberId}`}><Email address={email} /></Link>},
    {title: users.displayName, cell: ({displayName}) => displayName},
];

/** The members who have a role. */
export function RoleMembers({roleId}: {roleId: string}): JSX.Element {
    const pages = usePages(async (pageToken, signal) => {
        const request = {pageToken, roleId, state: "MEMBER_STATE_ACTIVE" as const};
        const {members = [], nextPageToken = ""} = await call("MemberService", "ListMembers", request, {signal});
        return {items: members, next: nextPageToken};
    }, roleId);
    return (
        <section aria-labelledby="role-members">
            <h2 id="role-members">{strings.members}</h2>
            <Loaded of={pages.page} rows={2}>
                {({items}) => items.length > 0
                    ? <Table caption={strings.members} columns={COLUMNS} rows={items} keyOf={({memberId = ""}) => memberId} />
                    : <Empty title={strings.noMembers} />}
            </Loaded>
            <Pager of={pages} />
        </section>
    );
}
