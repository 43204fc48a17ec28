import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Invitation, InvitationState} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {usePages} from "../rpc/use_pages.ts";
import {may, useSignedIn} from "../session/context.ts";
import {common, users as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button, ButtonLink} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Email} from "../ui/email.tsx";
import {Empty} from "../ui/empty.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {SelectField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {DeliveryBadge, InvitationBadge} from "./words.tsx";

const STATES: readonly {value: InvitationState; text: string}[] = [
    {value: "INVITATION_STATE_UNSPECIFIED", text: strings.anyState},
    ...(["INVITATION_STATE_PENDING", "INVITATION_STATE_EXPIRED", "INVITATION_STATE_ACCEPTED", "INVITATION_STATE_DEACTIVATED"] as const)
        .map(value => ({value, text: strings.invitationStates[value]})),
];

const isOpen = ({state}: Invitation): boolean => state === "INVITATION_STATE_PENDING" || state === "INVITATION_STATE_EXPIRED";

const COLUMNS: Column<Invitation>[] = [
    {title: strings.name, cell: ({email = ""}) => <Email address={email} />},
    {title: strings.state, cell: ({state}) => <InvitationBadge state={state} />},
    {title: strings.delivery, cell: ({delivery, deliveryDetail, resentCount = 0}) => (
        <>
            <DeliveryBadge delivery={delivery} />
            {resentCount > 0 && <span class="quiet"> {strings.resentCount(resentCount)}</span>}
            {deliveryDetail && <p class="hint">{deliveryDetail}</p>}
        </>
    )},
    {title: strings.expires, cell: ({expiresAt}) => <Time at={expiresAt} />},
];

export function InvitationsList(): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.invitations.manage");
    const [state, setState] = useState<InvitationState>("INVITATION_STATE_UNSPECIFIED");
    const [ending, setEnding] = useState<Invitation | null>(null);
    const pages = usePages(async (pageToken, signal) => {
        const {invitations = [], nextPageToken = ""} = await call("InvitationService", "ListInvitations", {pageToken, state}, {signal});
        return {items: invitations, next: nextPageToken};
    }, state);
    const columns = mayManage ? [...COLUMNS, {
        title: strings.actions, isActions: true,
        cell: (row: Invitation) => isOpen(row) && <RowActions invitation={row} onDone={pages.page.reload} onEnd={() => setEnding(row)} />,
    }] : COLUMNS;
    return (
        <>
            <div class="row filters"><SelectField label={strings.state} value={state} onValue={setState} options={STATES} /></div>
            <Loaded of={pages.page}>
                {({items}) => items.length > 0
                    ? <Table caption={strings.invitations} columns={columns} rows={items} keyOf={({invitationId = ""}) => invitationId} />
                    : <Empty title={strings.noInvitations}>
                        <p>{strings.noInvitationsText}</p>
                        {mayManage && <ButtonLink href="/users/invite">{strings.invite}</ButtonLink>}
                    </Empty>}
            </Loaded>
            <Pager of={pages} />
            {ending && <EndDialog invitation={ending} onClose={() => setEnding(null)} onDone={pages.page.reload} />}
        </>
    );
}

function RowActions({invitation: {invitationId = "", email = ""}, onDone, onEnd}: {
    invitation: Invitation; onDone: () => void; onEnd: () => void;
}): JSX.Element {
    const resend = useChange("InvitationService", "ResendInvitation");
    async function run(): Promise<void> {
        if (!await resend.run({invitationId})) return;
        announce(strings.resent(email));
        onDone();
    }
    return (
        <>
            <div class="actions end">
                <Button busy={resend.busy} onClick={run} aria-label={strings.resendOne(email)}>{strings.resend}</Button>
                <Button kind="danger" onClick={onEnd} aria-label={strings.deactivateOne(email)}>{strings.deactivate}</Button>
            </div>
            {resend.error && <ErrorBox error={resend.error} onRetry={run} />}
        </>
    );
}

function EndDialog({invitation: {invitationId = "", email = ""}, onClose, onDone}: {
    invitation: Invitation; onClose: () => void; onDone: () => void;
}): JSX.Element {
    const end = useChange("InvitationService", "DeactivateInvitation");
    async function run(): Promise<void> {
        if (!await end.run({invitationId})) return;
        announce(strings.deactivated(email));
        onClose();
        onDone();
    }
    return (
        <Dialog title={strings.deactivateTitle} onClose={onClose}>
            <Form onSubmit={run} error={end.error} actions={<>
                <Button kind="danger" type="submit" busy={end.busy}>{strings.deactivate}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{strings.deactivateText(email)}</p>
            </Form>
        </Dialog>
    );
}
