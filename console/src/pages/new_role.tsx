import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, roles as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button, ButtonLink} from "../ui/button.tsx";
import {Form} from "../ui/form.tsx";
import {Page} from "../ui/page.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";
import {RoleFields} from "../users/role_fields.tsx";
import {NEW_ROLE} from "../users/role_form.ts";
import {ROLES} from "../users/roles.tsx";

export default function NewRole(): JSX.Element {
    const [form, setForm] = useState(NEW_ROLE);
    const [isTried, setTried] = useState(false);
    const {busy, error, run} = useChange("MemberService", "CreateRole");
    useUnsaved(form !== NEW_ROLE);
    const name = form.name.trim();
    async function submit(): Promise<void> {
        setTried(true);
        const made = name === "" ? undefined : await run({name, permissions: form.permissions});
        if (!made) return;
        announce(strings.made(name));
        navigate(`/users/roles/${made.role?.roleId}`, {replace: true});
    }
    return (
        <Page title={strings.newTitle} lead={strings.lead}>
            <Form onSubmit={submit} error={error} ownFields={["name", "permissions"]} actions={<>
                <Button kind="primary" type="submit" busy={busy}>{strings.create}</Button>
                <ButtonLink href={ROLES}>{common.cancel}</ButtonLink>
            </>}>
                <RoleFields form={form} onForm={fields => setForm({...form, ...fields})}
                    said={field => error?.violationOf(field) ?? (field === "name" && isTried && name === "" ? strings.nameMissing : undefined)} />
            </Form>
        </Page>
    );
}
