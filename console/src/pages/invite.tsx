// Invites one or many people at once. Who was refused stays in the form, with the server's word why.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, invite as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button, ButtonLink} from "../ui/button.tsx";
import {AreaField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {splitLines} from "../ui/lines.ts";
import {IpListField} from "../ui/ip_list_field.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";
import {invitationsOf, looksLikeEmail, outcomesOf, PEOPLE_MAX, readPeople, refused, type Outcome} from "../users/people.ts";
import {RoleBoxes, useRoles} from "../users/roles.tsx";
import {INVITATIONS} from "./users.tsx";

function problemOf(people: string[]): string | undefined {
    if (people.length === 0) return strings.missing;
    if (people.length > PEOPLE_MAX) return strings.tooMany(people.length);
    const bad = people.find(email => !looksLikeEmail(email));
    return bad === undefined ? undefined : `${bad}: ${strings.badEmail}`;
}

export default function Invite(): JSX.Element {
    const roles = useRoles();
    const [text, setText] = useState("");
    const [roleIds, setRoleIds] = useState<string[]>([]);
    const [ips, setIps] = useState("");
    const [isTried, setTried] = useState(false);
    const [outcomes, setOutcomes] = useState<Outcome[]>([]);
    const create = useChange("InvitationService", "CreateInvitations");
    const people = readPeople(text);
    const problem = isTried ? problemOf(people) : undefined;
    async function submit(): Promise<void> {
        setTried(true);
        if (problemOf(people)) return;
        const answer = await create.run({invitations: invitationsOf(people, roleIds, splitLines(ips))});
        if (answer) settle(outcomesOf(people, answer.results ?? []));
    }
    function settle(all: Outcome[]): void {
        const left = refused(all);
        if (left.length < all.length) announce(strings.sent(all.length - left.length));
        if (left.length === 0) navigate(INVITATIONS);
        setOutcomes(all);
        setText(left.join("\n"));
    }
    return (
        <Page title={strings.title} lead={strings.lead}>
            <Form onSubmit={submit} error={create.error} actions={<>
                <Button kind="primary" type="submit" busy={create.busy}>{strings.send(people.length)}</Button>
                <ButtonLink href={INVITATIONS}>{common.cancel}</ButtonLink>
            </>}>
                <Refused outcomes={outcomes} />
                <AreaField label={strings.emails} hint={strings.emailsHint} required rows={5} spellcheck={false} value={text} onValue={setText} error={problem} />
                <Loaded of={roles} rows={2}>{all => <RoleBoxes roles={all} chosen={roleIds} onChosen={setRoleIds} />}</Loaded>
                <IpListField label={strings.ips} hint={strings.ipsHint} value={ips} onValue={setIps} error={create.error?.violationOf("allowedIps")} />
            </Form>
        </Page>
    );
}

function Refused({outcomes}: {outcomes: Outcome[]}): JSX.Element | null {
    const left = outcomes.filter(({error}) => error !== undefined);
    if (left.length === 0) return null;
    return (
        <Note tone="danger" alert>
            <p><strong>{strings.refusedTitle}</strong></p>
            <ul>{left.map(({email, error = ""}) => <li key={email}>{strings.refused(email, error)}</li>)}</ul>
        </Note>
    );
}
