// What may be changed about a role.

import type {JSX} from "preact";
import type {Role} from "../../gen/api.ts";
import {AmendForm} from "../form/amend_form.tsx";
import {useAmendment} from "../form/use_amendment.ts";
import {useChange} from "../rpc/use_change.ts";
import {newToken, roles as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {RoleFields} from "./role_fields.tsx";
import {formOf, updateOf} from "./role_form.ts";
import {findRole} from "./roles.tsx";

const LABELS = {name: strings.name, permissions: newToken.permissions};

export function RoleDetails({role, onSaved}: {role: Role; onSaved: () => void}): JSX.Element {
    const update = useChange("MemberService", "UpdateRole");
    const amendment = useAmendment({
        object: role, formOf, updateOf, update,
        send: async request => (await update.run(request))?.role,
        load: () => findRole(role.roleId ?? ""),
        onSaved: () => { announce(strings.saved); onSaved(); },
    });
    return (
        <AmendForm of={amendment} labels={LABELS} path="role"
            actions={<Button kind="primary" type="submit" busy={amendment.busy}>{strings.save}</Button>}>
            <RoleFields form={amendment.form} onForm={amendment.set} said={field => amendment.error?.violationOf(`role.${field}`)} />
        </AmendForm>
    );
}
