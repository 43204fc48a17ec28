// States of members and invitations as badges.

import type {JSX} from "preact";
import type {Delivery, InvitationState, MemberState} from "../../gen/api.ts";
import {users as strings} from "../strings.ts";
import {Badge, type Tone} from "../ui/badge.tsx";

const INVITATION_TONES: Record<InvitationState, Tone> = {
    INVITATION_STATE_UNSPECIFIED: "calm", INVITATION_STATE_PENDING: "warn", INVITATION_STATE_ACCEPTED: "good", INVITATION_STATE_EXPIRED: "bad",
    INVITATION_STATE_DEACTIVATED: "calm",
};
const DELIVERY_TONES: Record<Delivery, Tone> = {DELIVERY_UNSPECIFIED: "calm", DELIVERY_QUEUED: "warn", DELIVERY_SENT: "good", DELIVERY_FAILED: "bad"};

export function InvitationBadge({state = "INVITATION_STATE_UNSPECIFIED"}: {state: InvitationState | undefined}): JSX.Element {
    return <Badge tone={INVITATION_TONES[state]}>{strings.invitationStates[state]}</Badge>;
}

export function DeliveryBadge({delivery = "DELIVERY_UNSPECIFIED"}: {delivery: Delivery | undefined}): JSX.Element {
    return <Badge tone={DELIVERY_TONES[delivery]}>{strings.deliveries[delivery]}</Badge>;
}

export function MemberBadge({state = "MEMBER_STATE_UNSPECIFIED"}: {state: MemberState | undefined}): JSX.Element {
    return <Badge tone={state === "MEMBER_STATE_ACTIVE" ? "good" : "calm"}>{strings.memberStates[state]}</Badge>;
}
