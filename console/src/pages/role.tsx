// One role: what it lets do, who has it, and deleting it.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Role as RoleMessage} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import {useLoad} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {newToken, roles as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Codes} from "../ui/codes.tsx";
import {Empty} from "../ui/empty.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {DeleteRoleDialog} from "../users/delete_role.tsx";
import {RoleDetails} from "../users/role_details.tsx";
import {RoleMembers} from "../users/role_members.tsx";
import {findRole, ROLES} from "../users/roles.tsx";

export default function Role({parts: {id = ""}}: PageProps): JSX.Element {
    const loading = useLoad(signal => findRole(id, signal), id);
    const role = loading.data;
    const mayChange = may(useSignedIn(), "latchkey.members.manage") && role !== undefined && !role.builtIn;
    return (
        <Page title={role?.name || strings.role} lead={<Link href={ROLES}>{strings.title}</Link>} actions={mayChange && <Delete role={role} />}>
            <Loaded of={loading}>
                {found => found ? (
                    <div class="stack">
                        <section class="card" aria-labelledby="role-permissions">
                            <h2 id="role-permissions">{strings.details}</h2>
                            {mayChange ? <RoleDetails role={found} onSaved={loading.reload} /> : <ReadOnly role={found} />}
                        </section>
                        <RoleMembers roleId={id} />
                    </div>
                ) : <Empty title={strings.gone} />}
            </Loaded>
        </Page>
    );
}

function ReadOnly({role: {permissions = [], builtIn}}: {role: RoleMessage}): JSX.Element {
    return (
        <div class="stack">
            {builtIn && <p>{strings.builtIn}</p>}
            {permissions.length > 0 ? <div><h3>{newToken.permissions}</h3><Codes of={permissions} /></div> : <p>{strings.noPermissions}</p>}
        </div>
    );
}

function Delete({role}: {role: RoleMessage}): JSX.Element {
    const [isAsked, setAsked] = useState(false);
    return (
        <>
            <Button kind="danger" onClick={() => setAsked(true)}>{strings.delete}</Button>
            {isAsked && <DeleteRoleDialog role={role} onClose={() => setAsked(false)} />}
        </>
    );
}
