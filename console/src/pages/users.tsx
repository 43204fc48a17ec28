// Members, invitations and roles, one list at a time: which one stands in the query.

import type {JSX} from "preact";
import {Link} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import {may, useSignedIn} from "../session/context.ts";
import {roles, users as strings} from "../strings.ts";
import {ButtonLink} from "../ui/button.tsx";
import {Page} from "../ui/page.tsx";
import {InvitationsList} from "../users/invitations_list.tsx";
import {MembersList} from "../users/members_list.tsx";
import {ROLES} from "../users/roles.tsx";
import {RolesList} from "../users/roles_list.tsx";

export const INVITATIONS = "/users?list=invitations";

const MEMBERS = {href: "/users", text: strings.members, list: MembersList, needs: "latchkey.members.read"};
const TABS = [
    MEMBERS,
    {href: INVITATIONS, text: strings.invitations, list: InvitationsList, needs: "latchkey.invitations.read"},
    {href: ROLES, text: roles.title, list: RolesList, needs: "latchkey.members.read"},
];

export default function Users({query}: PageProps): JSX.Element {
    const signedIn = useSignedIn();
    const asked = query.get("list");
    const open = TABS.find(({href}) => asked !== null && href.endsWith(`=${asked}`)) ?? MEMBERS;
    const actions = open.href === ROLES
        ? may(signedIn, "latchkey.members.manage") && <ButtonLink kind="primary" href="/users/roles/new">{roles.newTitle}</ButtonLink>
        : may(signedIn, "latchkey.invitations.manage") && <ButtonLink kind="primary" href="/users/invite">{strings.invite}</ButtonLink>;
    return (
        <Page title={strings.title} lead={strings.lead} actions={actions}>
            <nav class="tabs" aria-label={strings.lists}>
                {TABS.filter(({needs}) => may(signedIn, needs)).map(({href, text}) => (
                    <Link key={href} href={href} aria-current={href === open.href ? "page" : undefined}>{text}</Link>
                ))}
            </nav>
            <open.list />
        </Page>
    );
}
