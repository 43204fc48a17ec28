// The door: a link by e-mail, or an identity provider, whichever ways the server has; and why one was not let in.

import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import {navigate} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError, useLoad} from "../rpc/use_load.ts";
import {Refused} from "../session/refused.tsx";
import {takeReturn} from "../session/return_to.ts";
import {beginOpenId, loadSession, requestLink, type Session} from "../session/session.ts";
import {signIn} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";

export default function SignIn({query}: PageProps): JSX.Element {
    const session = useLoad(loadSession, "");
    const isSignedIn = session.data?.signedIn ?? false;
    const reason = query.get("refused");
    // Who was refused is not led to the pages of whoever was signed in here before.
    const [stays, setStays] = useState(reason !== null);
    const isNobody = session.data?.signedIn === false;
    useEffect(() => { if (isNobody) setStays(false); }, [isNobody]);
    useEffect(() => { if (isSignedIn && !stays) navigate(takeReturn(Date.now()), {replace: true}); }, [isSignedIn, stays]);
    // The link in the mail opens in another tab; when one comes back to this one, it knows.
    useEffect(() => {
        window.addEventListener("focus", session.reload);
        return () => window.removeEventListener("focus", session.reload);
    }, [session.reload]);
    return (
        <Page title={signIn.title}>
            <div class="card stack">
                {reason && <Refused reason={reason} address={query.get("address") ?? ""} />}
                {isSignedIn && stays && (
                    <>
                        <p>{signIn.stillSignedIn}</p>
                        <p><ButtonLink href="/">{signIn.goOn}</ButtonLink></p>
                    </>
                )}
                <Loaded of={session} rows={2}>{data => <Ways session={data} />}</Loaded>
            </div>
        </Page>
    );
}

function Ways({session: {ways, provider, company}}: {session: Session}): JSX.Element {
    const hasOpenId = ways.includes("openid");
    return (
        <>
            {hasOpenId && <OpenIdForm provider={provider || signIn.openIdUnnamed} company={company} />}
            {ways.includes("mail") && (
                <>
                    {hasOpenId && <p class="quiet">{signIn.or}</p>}
                    <MailForm company={company} />
                </>
            )}
        </>
    );
}

function OpenIdForm({provider, company: known}: {provider: string; company: string | null}): JSX.Element {
    const [company, setCompany] = useState("");
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<RpcError | undefined>(undefined);
    async function submit(): Promise<void> {
        if (busy) return;
        setBusy(true);
        setError(undefined);
        try {
            // No page of ours: the browser leaves, and stays busy until it has.
            window.location.assign(await beginOpenId(company.trim()));
        } catch (failure) {
            setError(asRpcError(failure));
            setBusy(false);
        }
    }
    return (
        <Form onSubmit={submit} error={error} ownFields={["company"]} actions={<Button kind="primary" type="submit" busy={busy}>{signIn.openId(provider)}</Button>}>
            {known === null && <TextField label={signIn.company} hint={signIn.companyHint} autocomplete="off" value={company}
                error={error?.violationOf("company")} onValue={setCompany} />}
        </Form>
    );
}

function MailForm({company: known}: {company: string | null}): JSX.Element {
    const [email, setEmail] = useState("");
    const [company, setCompany] = useState("");
    const [busy, setBusy] = useState(false);
    const [sentTo, setSentTo] = useState("");
    const [error, setError] = useState<RpcError | undefined>(undefined);
    async function submit(): Promise<void> {
        if (busy) return;
        setBusy(true);
        setError(undefined);
        try {
            await requestLink(email.trim(), company.trim());
            setSentTo(email.trim());
        } catch (failure) {
            setError(asRpcError(failure));
        } finally {
            setBusy(false);
        }
    }
    if (sentTo !== "") return <Sent email={sentTo} onAgain={() => setSentTo("")} />;
    return (
        <Form onSubmit={submit} error={error} ownFields={["email", "company"]} actions={<Button kind="primary" type="submit" busy={busy}>{signIn.send}</Button>}>
            <p class="quiet">{signIn.lead}</p>
            <TextField label={signIn.email} type="email" autocomplete="email" required value={email} error={error?.violationOf("email")}
                onValue={setEmail} />
            {known === null && <TextField label={signIn.company} hint={signIn.companyHint} autocomplete="off" value={company}
                error={error?.violationOf("company")} onValue={setCompany} />}
        </Form>
    );
}

function Sent({email, onAgain}: {email: string; onAgain: () => void}): JSX.Element {
    return (
        <>
            <div role="status">
                <Note tone="good"><p><strong>{signIn.sentTitle}</strong> {signIn.sent(email)}</p></Note>
            </div>
            <p><Button onClick={onAgain}>{signIn.again}</Button></p>
        </>
    );
}
