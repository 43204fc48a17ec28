// What may be changed about a member.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Member, Role} from "../../gen/api.ts";
import {ClashNote, isStale} from "../form/clash_note.tsx";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {useEdited} from "../form/use_edited.ts";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {member as strings, users} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {IpListField} from "../ui/ip_list_field.tsx";
import {formOf, updateOf, type MemberForm} from "./member_form.ts";
import {roleNames, RoleBoxes} from "./roles.tsx";

const LABELS: Record<string, string> = {email: users.name, displayName: users.displayName, roleIds: strings.roles, allowedIps: strings.ips};

export function MemberDetails({member: loaded, roles}: {member: Member; roles: Role[]}): JSX.Element {
    const [member, setMember] = useState(loaded);
    const edited = useEdited<MemberForm>(formOf(loaded));
    const update = useChange("MemberService", "UpdateMember");
    const {form, set} = edited;
    const asText = (_: string, value: unknown): string => Array.isArray(value) ? roleNames(roles, value).join(", ") : String(value).replaceAll("\n", ", ");

    async function save(force: boolean): Promise<void> {
        const request = updateOf(member, edited.base, form);
        const answer = request && await update.run({...request, force});
        if (!answer?.member) return;
        setMember(answer.member);
        edited.settle(formOf(answer.member));
        announce(strings.saved);
    }
    async function loadAnew(): Promise<void> {
        const answer = await call("MemberService", "GetMember", {memberId: member.memberId ?? ""}).catch(asRpcError);
        if (!("member" in answer) || !answer.member) return;
        setMember(answer.member);
        edited.rebase(formOf(answer.member));
        update.reset();
    }
    const problem = isStale(update.error) || isLockOut(update.error) ? undefined : update.error;
    return (
        <Form onSubmit={() => save(false)} error={problem} actions={<Button kind="primary" type="submit" busy={update.busy}>{strings.save}</Button>}>
            <ClashNote error={update.error} clashes={edited.clashes} labelOf={field => LABELS[field] ?? field} textOf={asText} onLoad={loadAnew} />
            {update.error && isLockOut(update.error) && <LockOut error={update.error} busy={update.busy} onForce={() => save(true)} />}
            <TextField label={users.name} type="email" required value={form.email} onValue={email => set({email})} error={problem?.violationOf("member.email")} />
            <TextField label={users.displayName} maxLength={100} value={form.displayName} onValue={displayName => set({displayName})}
                error={problem?.violationOf("member.displayName")} />
            <RoleBoxes roles={roles} chosen={form.roleIds} onChosen={roleIds => set({roleIds})} hint={strings.rolesHint}
                error={problem?.violationOf("member.roleIds")} />
            <IpListField label={strings.ips} hint={strings.ipsHint} value={form.allowedIps} onValue={allowedIps => set({allowedIps})}
                error={problem?.violationOf("member.allowedIps")} />
        </Form>
    );
}
