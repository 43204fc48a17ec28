import type {JSX} from "preact";
import {PermissionChoice} from "../permission/choice.tsx";
import {roles as strings} from "../strings.ts";
import {TextField} from "../ui/field.tsx";
import type {RoleForm} from "./role_form.ts";

interface RoleFieldsProps {
    form: RoleForm;
    onForm: (fields: Partial<RoleForm>) => void;
    /** What is wrong with a field. */
    said: (field: keyof RoleForm & string) => string | undefined;
}

export function RoleFields({form, onForm, said}: RoleFieldsProps): JSX.Element {
    return (
        <>
            <TextField label={strings.name} hint={strings.nameHint} required maxLength={100} autocomplete="off" value={form.name}
                error={said("name")} onValue={name => onForm({name})} />
            <PermissionChoice hint={strings.permissionsHint} chosen={form.permissions} error={said("permissions")}
                onChosen={permissions => onForm({permissions})} />
        </>
    );
}
