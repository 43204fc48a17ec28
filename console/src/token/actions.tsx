// What can be done with an access token: each action is a button and, where there is something to say first, a dialog.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {may, useSignedIn} from "../session/context.ts";
import {token as text} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button, ButtonLink} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {DeactivateDialog} from "./deactivate_dialog.tsx";
import {RotateDialog} from "./rotate_dialog.tsx";
import {isLive} from "./state.ts";
import {SuspendDialog} from "./suspend_dialog.tsx";

interface TokenActionsProps {
    token: AccessToken;
    onChanged: () => void;
    /** The new secret, after a rotation. */
    onSecret: (secret: string) => void;
}

type Asked = "rotate" | "suspend" | "deactivate" | null;

export function TokenActions({token, onChanged, onSecret}: TokenActionsProps): JSX.Element {
    const signedIn = useSignedIn();
    const [asked, setAsked] = useState<Asked>(null);
    const mayManage = may(signedIn, "latchkey.tokens.manage");
    // A member's token is rotated by that member alone: whoever does has its secret, and could act as them.
    const mayRotate = mayManage && (!token.memberId || token.memberId === signedIn.caller.memberId || may(signedIn, "latchkey.operate"));
    const close = (): void => setAsked(null);
    function changed(said: string): void {
        close();
        announce(said);
        onChanged();
    }
    return (
        <section aria-label={text.actions}>
            <div class="actions">
                {isLive(token) && mayRotate && <Button onClick={() => setAsked("rotate")}>{text.rotate}</Button>}
                {isLive(token) && mayManage && <Button onClick={() => setAsked("suspend")}>{text.suspend}</Button>}
                {token.state === "TOKEN_STATE_SUSPENDED" && mayManage && <Resume token={token} onChanged={changed} />}
                {token.state !== "TOKEN_STATE_DEACTIVATED" && mayManage &&
                    <ButtonLink href={`/tokens/${token.tokenId}/edit`}>{text.edit}</ButtonLink>}
                {may(signedIn, "latchkey.validate.explain") &&
                    <ButtonLink href={`/explain?token=${token.tokenId}`}>{text.explain}</ButtonLink>}
                {token.state !== "TOKEN_STATE_DEACTIVATED" && mayManage &&
                    <Button kind="danger" onClick={() => setAsked("deactivate")}>{text.deactivate}</Button>}
            </div>
            {asked === "rotate" && <RotateDialog token={token} onClose={close} onRotated={secret => { onSecret(secret); changed(text.rotated); }} />}
            {asked === "suspend" && <SuspendDialog token={token} onClose={close} onSuspended={() => changed(text.suspended)} />}
            {asked === "deactivate" && <DeactivateDialog token={token} onClose={close} onDeactivated={changed} />}
        </section>
    );
}

function Resume({token: {tokenId = ""}, onChanged}: {token: AccessToken; onChanged: (said: string) => void}): JSX.Element {
    const {busy, error, run} = useChange("TokenService", "ResumeAccessToken");
    async function resume(): Promise<void> {
        if (await run({tokenId})) onChanged(text.resumed);
    }
    return (
        <>
            <Button busy={busy} onClick={resume}>{text.resume}</Button>
            {error && <ErrorBox error={error} />}
        </>
    );
}
