// Permissions to choose from, by group, with a search where there are many. What the caller may not give can't be chosen; what is chosen
// already may always be taken away.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {newToken} from "../strings.ts";
import {CheckField, TextField} from "../ui/field.tsx";
import {choose, findPermissions, strangersIn, type PermissionGroup} from "./groups.ts";

const FEW = 12;

interface PickerProps {
    groups: PermissionGroup[];
    chosen: string[];
    onChosen: (chosen: string[]) => void;
}

export function PermissionPicker({groups, chosen, onChosen}: PickerProps): JSX.Element {
    const [text, setText] = useState("");
    // Those that are there when the form opens stay to be seen when they are taken away.
    const [strangers] = useState(() => strangersIn(chosen, groups));
    const found = findPermissions(groups, text);
    const count = groups.reduce((sum, {items}) => sum + items.length, 0);
    const onChoose = (name: string, isChosen: boolean): void => onChosen(choose(chosen, name, isChosen));
    return (
        <div class="picker">
            {count > FEW && <TextField label={newToken.permissionSearch} type="search" value={text} onValue={setText} />}
            <p class="hint" role="status">{found.length === 0 ? newToken.noPermissions : newToken.chosen(chosen.length)}</p>
            <div class="groups">
                {found.map(group => <Group key={group.resource} group={group} chosen={chosen} onChoose={onChoose} />)}
                {strangers.length > 0 && (
                    <fieldset class="group">
                        <legend>{newToken.others}</legend>
                        {strangers.map(name => <Choice key={name} name={name} hint="" mayChoose chosen={chosen} onChoose={onChoose} />)}
                    </fieldset>
                )}
            </div>
        </div>
    );
}

type OnChoose = (name: string, isChosen: boolean) => void;

function Group({group: {resource, wildcard, items, isHeld}, chosen, onChoose}: {group: PermissionGroup; chosen: string[]; onChoose: OnChoose}): JSX.Element {
    const isWhole = chosen.includes(wildcard);
    return (
        <fieldset class="group">
            <legend>{resource}</legend>
            <Choice name={wildcard} hint={newToken.allHint} mayChoose={isHeld} chosen={chosen} onChoose={onChoose} />
            {items.map(item => (
                <Choice key={item.name} name={item.name} hint={item.description} mayChoose={item.isHeld} isIncluded={isWhole} chosen={chosen} onChoose={onChoose} />
            ))}
        </fieldset>
    );
}

interface ChoiceProps {
    name: string;
    hint: string;
    mayChoose: boolean;
    /** By a group that is chosen. */
    isIncluded?: boolean;
    chosen: string[];
    onChoose: OnChoose;
}

function Choice({name, hint, mayChoose, isIncluded = false, chosen, onChoose}: ChoiceProps): JSX.Element {
    const isChosen = chosen.includes(name);
    return (
        <CheckField label={<code>{name}</code>} hint={mayChoose ? hint : newToken.notHeld} checked={isIncluded || isChosen}
            disabled={isIncluded || (!mayChoose && !isChosen)} onChecked={is => onChoose(name, is)} />
    );
}
