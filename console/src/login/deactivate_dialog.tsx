import type {JSX} from "preact";
import type {LoginToken} from "../../gen/api.ts";
import {useMemberNames} from "../member/names.ts";
import {useChange} from "../rpc/use_change.ts";
import {useSignedIn} from "../session/context.ts";
import {common, logins} from "../strings.ts";
import {localTime} from "../time/format.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";

const WAIT = "10s";

interface DeactivateLoginDialogProps {
    login: LoginToken;
    onClose: () => void;
    onEnded: () => void;
}

export function DeactivateLoginDialog({login: {tokenId = "", memberId = "", createdAt = ""}, onClose, onEnded}: DeactivateLoginDialogProps): JSX.Element {
    const {caller} = useSignedIn();
    const nameOf = useMemberNames([]);
    const {busy, error, run} = useChange("TokenService", "DeactivateLoginToken");
    const who = memberId === caller.memberId ? caller.email ?? memberId : nameOf(memberId);
    async function end(): Promise<void> {
        if (await run({tokenId, waitForValidators: WAIT})) onEnded();
    }
    const actions = (
        <>
            <Button kind="danger" type="submit" busy={busy}>{logins.deactivate}</Button>
            <Button onClick={onClose}>{common.cancel}</Button>
        </>
    );
    return (
        <Dialog title={logins.confirmTitle} onClose={onClose}>
            <Form onSubmit={end} error={error} actions={actions}>
                <p>{logins.confirmText(who, localTime(createdAt))}</p>
                {tokenId === caller.tokenId && <Note tone="warn"><p>{logins.confirmOwn}</p></Note>}
            </Form>
        </Dialog>
    );
}
