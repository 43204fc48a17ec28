// Permissions to choose from, by group, with a search where there are many.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {newToken} from "../strings.ts";
import {CheckField, TextField} from "../ui/field.tsx";
import {choose, findPermissions, type PermissionGroup} from "./groups.ts";

const FEW = 12;

interface PickerProps {
    groups: PermissionGroup[];
    chosen: string[];
    onChosen: (chosen: string[]) => void;
}

export function PermissionPicker({groups, chosen, onChosen}: PickerProps): JSX.Element {
    const [text, setText] = useState("");
    const found = findPermissions(groups, text);
    const count = groups.reduce((sum, {items}) => sum + items.length, 0);
    return (
        <div class="picker">
            {count > FEW && <TextField label={newToken.permissionSearch} type="search" value={text} onValue={setText} />}
            <p class="hint" role="status">{found.length === 0 ? newToken.noPermissions : newToken.chosen(chosen.length)}</p>
            {found.map(group => (
                <Group key={group.resource} group={group} chosen={chosen} onChoose={(name, is) => onChosen(choose(chosen, name, is))} />
            ))}
        </div>
    );
}

interface GroupProps {
    group: PermissionGroup;
    chosen: string[];
    onChoose: (name: string, isChosen: boolean) => void;
}

function Group({group: {resource, wildcard, items, isHeld}, chosen, onChoose}: GroupProps): JSX.Element {
    const isWhole = chosen.includes(wildcard);
    return (
        <fieldset class="group">
            <legend>{resource}</legend>
            <CheckField label={<code>{wildcard}</code>} hint={isHeld ? newToken.allHint : newToken.notHeld} checked={isWhole} disabled={!isHeld}
                onChecked={is => onChoose(wildcard, is)} />
            {items.map(item => (
                <CheckField key={item.name} label={<code>{item.name}</code>} hint={item.isHeld ? item.description : newToken.notHeld}
                    checked={isWhole || chosen.includes(item.name)} disabled={isWhole || !item.isHeld}
                    onChecked={is => onChoose(item.name, is)} />
            ))}
        </fieldset>
    );
}
