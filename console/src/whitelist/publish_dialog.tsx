// Puts a draft in the live list's place: first whom it would refuse, then how long the list before stands ready to come back.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {isLockOut, LockOut} from "../form/lock_out.tsx";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, drafts as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";
import {Preview} from "./preview.tsx";
import {USUAL, WithinField} from "./within_field.tsx";

export function PublishDialog({draftId, isOn, onClose}: {draftId: string; isOn: boolean; onClose: () => void}): JSX.Element {
    const [confirmWithin, setWithin] = useState(USUAL);
    const publish = useChange("WhitelistService", "PublishWhitelistDraft");
    const {error} = publish;
    const isOutdated = error?.reason === "DRAFT_OUTDATED";
    async function run(force: boolean): Promise<void> {
        if (!await publish.run({draftId, confirmWithin, force})) return;
        announce(strings.published);
        navigate("/security");
    }
    return (
        <Dialog title={strings.publishTitle} onClose={onClose}>
            <Form onSubmit={() => run(false)} error={isLockOut(error) || isOutdated ? undefined : error} actions={<>
                <Button kind="primary" type="submit" busy={publish.busy}>{strings.publish}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{isOn ? strings.publishText : strings.listIsOff}</p>
                <Preview request={{draftId}} />
                <WithinField hint={strings.confirmHint} value={confirmWithin} onValue={setWithin} />
                {error && isLockOut(error) && <LockOut error={error} busy={publish.busy} onForce={() => run(true)} />}
                {isOutdated && (
                    <Note tone="danger" alert>
                        <p>{strings.outdatedText}</p>
                        <Button kind="danger" busy={publish.busy} onClick={() => run(true)}>{strings.force}</Button>
                    </Note>
                )}
            </Form>
        </Dialog>
    );
}
