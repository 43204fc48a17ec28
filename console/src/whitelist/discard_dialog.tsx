import type {JSX} from "preact";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {common, drafts as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";

export function DiscardDialog({draftId, onClose}: {draftId: string; onClose: () => void}): JSX.Element {
    const discard = useChange("WhitelistService", "DiscardWhitelistDraft");
    async function run(): Promise<void> {
        if (!await discard.run({draftId})) return;
        announce(strings.discarded);
        navigate("/security");
    }
    return (
        <Dialog title={strings.discardTitle} onClose={onClose}>
            <Form onSubmit={run} error={discard.error} actions={<>
                <Button kind="danger" type="submit" busy={discard.busy}>{strings.discard}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{strings.discardText}</p>
            </Form>
        </Dialog>
    );
}
