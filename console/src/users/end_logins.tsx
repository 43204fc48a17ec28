import type {JSX} from "preact";
import {useChange} from "../rpc/use_change.ts";
import {common, member as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";

/** Ends every log-in of a member. */
export function EndLoginsDialog({memberId, onClose}: {memberId: string; onClose: () => void}): JSX.Element {
    const end = useChange("TokenService", "DeactivateMemberLogins");
    async function run(): Promise<void> {
        if (!await end.run({memberId})) return;
        announce(strings.loginsEnded);
        onClose();
    }
    return (
        <Dialog title={strings.endLoginsTitle} onClose={onClose}>
            <Form onSubmit={run} error={end.error} actions={<>
                <Button kind="danger" type="submit" busy={end.busy}>{strings.endLogins}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{strings.endLoginsText}</p>
            </Form>
        </Dialog>
    );
}
