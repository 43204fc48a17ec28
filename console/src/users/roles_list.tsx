import type {JSX} from "preact";
import type {Role} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {newToken, roles as strings} from "../strings.ts";
import {Codes} from "../ui/codes.tsx";
import {Empty} from "../ui/empty.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";

const PERMISSIONS_SHOWN = 4;

const COLUMNS: Column<Role>[] = [
    {title: strings.name, cell: ({roleId = "", name = ""}) => <Link href={`/users/roles/${roleId}`}>{name}</Link>},
    {title: newToken.permissions, cell: ({permissions = [], builtIn}) => (
        builtIn ? strings.allPermissions
            : permissions.length > 0 ? <Codes of={permissions} most={PERMISSIONS_SHOWN} more={strings.more} /> : strings.noPermissions
    )},
    {title: strings.since, cell: ({createdAt}) => <Time at={createdAt} />},
];

export function RolesList(): JSX.Element {
    const pages = usePages(async (pageToken, signal) => {
        const {roles = [], nextPageToken = ""} = await call("MemberService", "ListRoles", {pageToken}, {signal});
        return {items: roles, next: nextPageToken};
    }, "");
    return (
        <>
            <Loaded of={pages.page}>
                {({items}) => items.length > 0
                    ? <Table caption={strings.title} columns={COLUMNS} rows={items} keyOf={({roleId = ""}) => roleId} />
                    : <Empty title={strings.none} />}
            </Loaded>
            <Pager of={pages} />
        </>
    );
}
