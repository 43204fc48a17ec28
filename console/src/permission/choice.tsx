// The catalogue, loaded, to choose permissions from.

import type {JSX} from "preact";
import {useLoad} from "../rpc/use_load.ts";
import {useSignedIn} from "../session/context.ts";
import {newToken} from "../strings.ts";
import {Loaded} from "../ui/loaded.tsx";
import {groupPermissions} from "./groups.ts";
import {loadPermissions} from "./load.ts";
import {PermissionPicker} from "./picker.tsx";

interface PermissionChoiceProps {
    hint?: string;
    chosen: string[];
    error: string | undefined;
    onChosen: (chosen: string[]) => void;
}

export function PermissionChoice({hint = newToken.permissionsHint, chosen, error, onChosen}: PermissionChoiceProps): JSX.Element {
    const {caller} = useSignedIn();
    const catalogue = useLoad(loadPermissions, "");
    return (
        <fieldset>
            <legend>{newToken.permissions}</legend>
            <p class="hint">{hint}</p>
            {error && <p class="field-error">{error}</p>}
            <Loaded of={catalogue}>
                {permissions => <PermissionPicker groups={groupPermissions(permissions, caller.permissions ?? [])} chosen={chosen} onChosen={onChosen} />}
            </Loaded>
        </fieldset>
    );
}
