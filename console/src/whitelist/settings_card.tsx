// Whether the live list restricts anything, and what.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Whitelist} from "../../gen/api.ts";
import {security as strings} from "../strings.ts";
import {Badge} from "../ui/badge.tsx";
import {Button} from "../ui/button.tsx";
import {SwitchDialog, type Switch} from "./switch_dialog.tsx";

export function SettingsCard({whitelist, mayManage, onChanged}: {whitelist: Whitelist; mayManage: boolean; onChanged: () => void}): JSX.Element {
    const [dialog, setDialog] = useState<Switch | null>(null);
    const {enabled = false, scope = "WHITELIST_SCOPE_ALL", entryCount = "0", confirmBy} = whitelist;
    return (
        <section class="card stack" aria-labelledby="whitelist-settings">
            <h2 id="whitelist-settings">{strings.whitelist}</h2>
            <dl class="facts">
                <dt>{strings.state}</dt>
                <dd><Badge tone={enabled ? "good" : "warn"}>{enabled ? strings.on : strings.off}</Badge> {!enabled && strings.offText}</dd>
                <dt>{strings.scope}</dt><dd>{strings.scopes[scope]}</dd>
                <dt>{strings.entries}</dt><dd>{strings.entryCount(Number(entryCount))}</dd>
            </dl>
            {mayManage && (
                <div class="actions">
                    {enabled ? <Button kind="danger" onClick={() => setDialog("off")}>{strings.switchOff}</Button>
                        : !confirmBy && <Button kind="primary" onClick={() => setDialog("on")}>{strings.switchOn}</Button>}
                    {enabled && !confirmBy && <Button onClick={() => setDialog("scope")}>{strings.changeScope}</Button>}
                </div>
            )}
            {dialog && <SwitchDialog to={dialog} whitelist={whitelist} onClose={() => setDialog(null)} onChanged={onChanged} />}
        </section>
    );
}
