// The session has ended while something was typed. It waits, covered and out of reach, until who typed it is signed in again, in another
// tab; who is somebody else does not get to see it (rpc/caller.ts).

import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {signedOut as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {askCaller} from "./ask_caller.ts";

interface SignedOutProps {
    onBack: () => void;
    onLeave: () => void;
}

export function SignedOut({onBack, onLeave}: SignedOutProps): JSX.Element {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<RpcError | undefined>(undefined);
    const [turn, setTurn] = useState(0);
    const looking = useRef(false);

    async function look(): Promise<RpcError | undefined> {
        try {
            await askCaller();
            announce(strings.back);
            return void onBack();
        } catch (failure) {
            return asRpcError(failure);
        }
    }
    /** One look at a time; who has not asked for it is not told that it was in vain. */
    async function lookOnce(isAsked: boolean): Promise<void> {
        if (looking.current) return;
        looking.current = true;
        setBusy(isAsked);
        const failed = await look();
        looking.current = false;
        setBusy(false);
        if (isAsked) setError(failed);
    }
    useEffect(() => {
        const listener = (): void => void lookOnce(false);
        window.addEventListener("focus", listener);
        return () => window.removeEventListener("focus", listener);
    });
    return (
        // Escape leads nowhere: the dialog is there again.
        <Dialog key={turn} title={strings.title} class="covers" onClose={() => setTurn(turn + 1)}>
            <div class="stack">
                <p>{strings.text}</p>
                {error && <ErrorBox error={error} />}
                <div class="actions">
                    <a class="button primary" href="/sign-in" target="_blank" rel="noopener">{strings.signIn}</a>
                    <Button busy={busy} onClick={() => lookOnce(true)}>{strings.goOn}</Button>
                    <Button kind="danger" onClick={onLeave}>{strings.leave}</Button>
                </div>
            </div>
        </Dialog>
    );
}
