// Where the link in the mail leads. Its secret is in the fragment, which no server sees, and leaves the address bar and the history at once.
// It is used without being asked for, because it is good in no other browser than the one that had it sent.

import type {JSX} from "preact";
import {useEffect} from "preact/hooks";
import {useFragment} from "../app/fragment.ts";
import {navigate} from "../app/router.tsx";
import {useLoad} from "../rpc/use_load.ts";
import {isRefusal} from "../session/refusal.ts";
import {Refused} from "../session/refused.tsx";
import {takeReturn} from "../session/return_to.ts";
import {openLink} from "../session/session.ts";
import {signIn} from "../strings.ts";
import {ButtonLink} from "../ui/button.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";

export default function SignInLink(): JSX.Element {
    const secret = useFragment();
    return <Page title={signIn.linkTitle}>{secret === "" ? <Over reason="LINK_BROKEN" address="" /> : <Opening secret={secret} />}</Page>;
}

function Opening({secret}: {secret: string}): JSX.Element {
    const opening = useLoad(() => openLink(secret), secret);
    const isOpen = opening.state === "done";
    useEffect(() => { if (isOpen) navigate(takeReturn(Date.now()), {replace: true}); }, [isOpen]);
    const reason = opening.error?.reason ?? "";
    if (isRefusal(reason)) return <Over reason={reason} address={opening.error?.metadata.clientIp ?? ""} />;
    return <Loaded of={opening} rows={1}>{() => null}</Loaded>;
}

function Over({reason, address}: {reason: string; address: string}): JSX.Element {
    // Else the door would lead to the pages of whoever was signed in here before.
    const refused = new URLSearchParams({refused: reason, address});
    return (
        <div class="stack">
            <Refused reason={reason} address={address} />
            <p><ButtonLink kind="primary" href={`/sign-in?${refused}`}>{signIn.newLink}</ButtonLink></p>
        </div>
    );
}
