// Switches the live list on, off, or to cover something else; before it is on one sees whom it would refuse, and says how long it waits
// to be kept.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Whitelist, WhitelistScope} from "../../gen/api.ts";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, security as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {SelectField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";
import {Preview} from "./preview.tsx";
import {FOR_GOOD, USUAL, WithinField} from "./within_field.tsx";

export type Switch = "on" | "off" | "scope";

const SCOPES = (["WHITELIST_SCOPE_ALL", "WHITELIST_SCOPE_LOGINS"] as const).map(value => ({value, text: strings.scopes[value]}));

const WORDS: Record<Switch, {title: string; text: string; button: string; done: string; onTrial: string; mask: string}> = {
    on: {title: strings.switchOnTitle, text: strings.switchOnText, button: strings.switchOn, done: strings.switchedOn, onTrial: strings.switchedOnTrial, mask: "enabled,scope"},
    off: {title: strings.switchOffTitle, text: strings.switchOffText, button: strings.switchOff, done: strings.switchedOff, onTrial: "", mask: "enabled"},
    scope: {title: strings.changeScopeTitle, text: "", button: strings.save, done: strings.saved, onTrial: strings.savedOnTrial, mask: "scope"},
};

export function SwitchDialog({to, whitelist, onClose, onChanged}: {
    to: Switch; whitelist: Whitelist; onClose: () => void; onChanged: () => void;
}): JSX.Element {
    const words = WORDS[to];
    const [scope, setScope] = useState<WhitelistScope>(whitelist.scope ?? "WHITELIST_SCOPE_ALL");
    const update = useChange("WhitelistService", "UpdateWhitelist");
    const [within, setWithin] = useState(USUAL);
    const enabled = to === "scope" ? whitelist.enabled ?? false : to === "on";
    // Nothing else refuses anybody who was let in.
    const isTighter = enabled && (to === "on" || (whitelist.scope === "WHITELIST_SCOPE_LOGINS" && scope !== whitelist.scope));
    const confirmWithin = isTighter ? within : FOR_GOOD;
    async function run(force: boolean): Promise<void> {
        if (!await update.run({whitelist: {enabled, scope, etag: whitelist.etag ?? ""}, updateMask: words.mask, confirmWithin, force})) return;
        announce(confirmWithin === FOR_GOOD ? words.done : words.onTrial);
        onChanged();
        onClose();
    }
    // What was seen here is not what there is any more: closing shows it.
    const close = (): void => {
        if (update.error) onChanged();
        onClose();
    };
    const isLocked = isLockOut(update.error);
    return (
        <Dialog title={words.title} onClose={close}>
            <Form onSubmit={() => run(false)} error={isLocked ? undefined : update.error} actions={<>
                <Button kind={to === "off" ? "danger" : "primary"} type="submit" busy={update.busy}>{words.button}</Button>
                <Button onClick={close}>{common.cancel}</Button>
            </>}>
                {words.text && <p>{words.text}</p>}
                {to !== "off" && <SelectField label={strings.scope} value={scope} onValue={setScope} options={SCOPES} />}
                {enabled && <Preview request={{whitelist: {enabled: true, scope}}} />}
                {isTighter && <WithinField hint={to === "on" ? strings.confirmHint : strings.confirmScopeHint} value={within} onValue={setWithin} />}
                {isTighter && within === FOR_GOOD && <Note tone="warn"><p>{strings.noWayBack}</p></Note>}
                {update.error && isLocked && <LockOut error={update.error} busy={update.busy} onForce={() => run(true)} />}
            </Form>
        </Dialog>
    );
}
