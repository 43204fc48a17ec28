// Members and invitations, one list at a time: which one stands in the query.

import type {JSX} from "preact";
import {Link} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import {may, useSignedIn} from "../session/context.ts";
import {users as strings} from "../strings.ts";
import {ButtonLink} from "../ui/button.tsx";
import {Page} from "../ui/page.tsx";
import {InvitationsList} from "../users/invitations_list.tsx";
import {MembersList} from "../users/members_list.tsx";

export const INVITATIONS = "/users?list=invitations";

export default function Users({query}: PageProps): JSX.Element {
    const signedIn = useSignedIn();
    const isInvitations = query.get("list") === "invitations";
    const actions = may(signedIn, "latchkey.invitations.manage") && <ButtonLink kind="primary" href="/users/invite">{strings.invite}</ButtonLink>;
    return (
        <Page title={strings.title} lead={strings.lead} actions={actions}>
            {may(signedIn, "latchkey.invitations.read") && (
                <nav class="tabs" aria-label={strings.lists}>
                    <Link href="/users" aria-current={isInvitations ? undefined : "page"}>{strings.members}</Link>
                    <Link href={INVITATIONS} aria-current={isInvitations ? "page" : undefined}>{strings.invitations}</Link>
                </nav>
            )}
            {isInvitations ? <InvitationsList /> : <MembersList />}
        </Page>
    );
}
