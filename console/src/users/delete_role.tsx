import type {JSX} from "preact";
import type {Role} from "../../gen/api.ts";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, roles as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";
import {ROLES} from "./roles.tsx";

/** Deletes a role; one that somebody has, or is invited to, stays. */
export function DeleteRoleDialog({role: {roleId = "", name = ""}, onClose}: {role: Role; onClose: () => void}): JSX.Element {
    const {busy, error, run} = useChange("MemberService", "DeleteRole");
    const isInUse = error?.reason === "ROLE_IN_USE";
    const {memberCount = "0", invitationCount = "0"} = error?.metadata ?? {};
    async function submit(): Promise<void> {
        if (!await run({roleId})) return;
        announce(strings.deleted(name));
        navigate(ROLES);
    }
    return (
        <Dialog title={strings.deleteTitle} onClose={onClose}>
            <Form onSubmit={submit} error={isInUse ? undefined : error} actions={<>
                <Button kind="danger" type="submit" busy={busy}>{strings.delete}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{strings.deleteText(name)}</p>
                {isInUse && <Note tone="danger" alert><p>{strings.inUse(Number(memberCount), Number(invitationCount))}</p></Note>}
            </Form>
        </Dialog>
    );
}
