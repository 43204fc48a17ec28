import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Member as MemberMessage} from "../../gen/api.ts";
import type {PageProps} from "../app/routes.ts";
import {useRpc} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {member as strings, users} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Time} from "../ui/time.tsx";
import {EndLoginsDialog} from "../users/end_logins.tsx";
import {MemberDetails} from "../users/member_details.tsx";
import {RemoveDialog} from "../users/remove_member.tsx";
import {useRoles} from "../users/roles.tsx";
import {MemberBadge} from "../users/words.tsx";

export default function Member({parts: {id = ""}}: PageProps): JSX.Element {
    const found = useRpc("MemberService", "GetMember", {memberId: id});
    const member = found.data?.member;
    return (
        <Page key={member ? "found" : "looking"} title={member?.email || users.title}
            actions={member?.state === "MEMBER_STATE_ACTIVE" && <Actions member={member} />}>
            <Loaded of={found}>{data => data.member && <Parts member={data.member} />}</Loaded>
        </Page>
    );
}

function Actions({member}: {member: MemberMessage}): JSX.Element {
    const signedIn = useSignedIn();
    const [dialog, setDialog] = useState<"logins" | "remove" | null>(null);
    const close = (): void => setDialog(null);
    return (
        <>
            {may(signedIn, "latchkey.logins.manage") && <Button onClick={() => setDialog("logins")}>{strings.endLogins}</Button>}
            {may(signedIn, "latchkey.members.manage") && <Button kind="danger" onClick={() => setDialog("remove")}>{strings.remove}</Button>}
            {dialog === "logins" && <EndLoginsDialog memberId={member.memberId ?? ""} onClose={close} />}
            {dialog === "remove" && <RemoveDialog member={member} onClose={close} />}
        </>
    );
}

function Parts({member}: {member: MemberMessage}): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.members.manage");
    const roles = useRoles();
    return (
        <div class="stack">
            <dl class="facts card">
                <dt>{users.state}</dt><dd><MemberBadge state={member.state} /></dd>
                <dt>{users.since}</dt><dd><Time at={member.createdAt} /></dd>
                {member.removedAt && <><dt>{strings.removedAt}</dt><dd><Time at={member.removedAt} /></dd></>}
                {member.subject && <><dt>{strings.identity}</dt><dd>{strings.identityOf(member.issuer ?? "", member.subject)}</dd></>}
            </dl>
            {mayManage && member.state === "MEMBER_STATE_ACTIVE" && (
                <section class="card" aria-labelledby="member-details">
                    <h2 id="member-details">{strings.details}</h2>
                    <Loaded of={roles}>{all => <MemberDetails member={member} roles={all} />}</Loaded>
                </section>
            )}
        </div>
    );
}
