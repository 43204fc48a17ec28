// What may be changed about a member.

import type {JSX} from "preact";
import type {Member, Role} from "../../gen/api.ts";
import {AmendForm} from "../form/amend_form.tsx";
import {useAmendment} from "../form/use_amendment.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {member as strings, users} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {IpListField} from "../ui/ip_list_field.tsx";
import {formOf, updateOf} from "./member_form.ts";
import {roleNames, RoleBoxes} from "./roles.tsx";

const LABELS = {email: users.name, displayName: users.displayName, roleIds: strings.roles, allowedIps: strings.ips};

export function MemberDetails({member, roles}: {member: Member; roles: Role[]}): JSX.Element {
    const update = useChange("MemberService", "UpdateMember");
    const amendment = useAmendment({
        object: member, formOf, updateOf, update,
        send: async (request, force) => (await update.run({...request, force}))?.member,
        load: async () => (await call("MemberService", "GetMember", {memberId: member.memberId ?? ""})).member,
        onSaved: () => announce(strings.saved),
    });
    const {form, set, busy} = amendment;
    const said = (field: keyof typeof LABELS): string | undefined => amendment.error?.violationOf(`member.${field}`);
    const asText = (field: string, value: unknown): string =>
        field === "roleIds" ? roleNames(roles, value as string[]).join(", ") : String(value).replaceAll("\n", ", ");
    return (
        <AmendForm of={amendment} labels={LABELS} textOf={asText} path="member"
            actions={<Button kind="primary" type="submit" busy={busy}>{strings.save}</Button>}>
            <TextField label={users.name} type="email" required value={form.email} onValue={email => set({email})} error={said("email")} />
            <TextField label={users.displayName} maxLength={100} value={form.displayName} onValue={displayName => set({displayName})}
                error={said("displayName")} />
            <RoleBoxes roles={roles} chosen={form.roleIds} onChosen={roleIds => set({roleIds})} hint={strings.rolesHint} error={said("roleIds")} />
            <IpListField label={strings.ips} hint={strings.ipsHint} value={form.allowedIps} onValue={allowedIps => set({allowedIps})}
                error={said("allowedIps")} />
        </AmendForm>
    );
}
