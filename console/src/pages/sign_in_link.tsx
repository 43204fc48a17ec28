// Where the link in the mail leads. Its secret is in the fragment, which no server sees, and leaves the address bar and the history at once.
// It is used by a press only: programs that open the links of mails must not use it up.

import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import {navigate} from "../app/router.tsx";
import {takeFragment} from "../app/fragment.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {isRefusal, Refused} from "../session/refused.tsx";
import {takeReturn} from "../session/return_to.ts";
import {openLink} from "../session/session.ts";
import {signIn} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Page} from "../ui/page.tsx";

const BROKEN = "LINK_BROKEN";

export default function SignInLink(): JSX.Element {
    const [secret, setSecret] = useState(takeFragment);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<RpcError | undefined>(undefined);
    useEffect(() => {
        const listener = (): void => { if (location.hash !== "") setSecret(takeFragment()); };
        window.addEventListener("hashchange", listener);
        return () => window.removeEventListener("hashchange", listener);
    }, []);
    async function finish(): Promise<void> {
        if (busy) return;
        setBusy(true);
        setError(undefined);
        try {
            await openLink(secret);
            navigate(takeReturn(Date.now()), {replace: true});
        } catch (failure) {
            setError(asRpcError(failure));
            setBusy(false);
        }
    }
    const reason = secret === "" ? BROKEN : error?.reason ?? "";
    const isOver = isRefusal(reason);
    return (
        <Page title={signIn.linkTitle} lead={isOver ? undefined : signIn.linkLead}>
            <div class="stack">
                {isOver ? <Refused reason={reason} address={error?.metadata.clientIp ?? ""} /> : error && <ErrorBox error={error} />}
                <div class="actions">
                    {isOver
                        ? <ButtonLink kind="primary" href="/sign-in">{signIn.newLink}</ButtonLink>
                        : <Button kind="primary" busy={busy} onClick={finish}>{signIn.finish}</Button>}
                </div>
            </div>
        </Page>
    );
}
