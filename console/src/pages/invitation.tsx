// What an invited person sees: who invites, a name to type, and a link that works once. Whatever is wrong with a link, the page says the same.

import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import type {LookupInvitationResponse} from "../../gen/api.ts";
import {useFragment} from "../app/fragment.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {useChange} from "../rpc/use_change.ts";
import {useRpc} from "../rpc/use_load.ts";
import {invitationPage as strings} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Facts} from "../ui/facts.tsx";
import {TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";
import {Page} from "../ui/page.tsx";
import {Skeleton} from "../ui/skeleton.tsx";
import {Time} from "../ui/time.tsx";

const isBroken = (error: RpcError): boolean => error.code === "not_found" || error.code === "invalid_argument";

export default function Invitation(): JSX.Element {
    const secret = useFragment();
    return secret === "" ? <Broken /> : <Linked key={secret} secret={secret} />;
}

function Broken(): JSX.Element {
    return <Page title={strings.title}><Note tone="danger" alert><p>{strings.broken}</p></Note></Page>;
}

function Linked({secret}: {secret: string}): JSX.Element {
    const found = useRpc("InvitationService", "LookupInvitation", {secret});
    const [outcome, setOutcome] = useState<"member" | "broken" | null>(null);
    if (outcome === "broken" || (found.state === "error" && isBroken(found.error))) return <Broken />;
    if (found.state === "loading") return <Page title={strings.title}><Skeleton rows={3} /></Page>;
    if (found.state === "error") return <Page title={strings.title}><ErrorBox error={found.error} onRetry={found.reload} /></Page>;
    return outcome === "member" ? <Accepted company={found.data.companyName ?? ""} />
        : <Accept secret={secret} invitation={found.data} onEnd={setOutcome} />;
}

function Accepted({company}: {company: string}): JSX.Element {
    return (
        <Page key="accepted" title={strings.acceptedTitle}>
            <Note tone="good" alert><p>{strings.accepted(company)}</p></Note>
            <p class="actions after"><ButtonLink kind="primary" href="/sign-in">{strings.signIn}</ButtonLink></p>
        </Page>
    );
}

interface AcceptProps {
    secret: string;
    invitation: LookupInvitationResponse;
    onEnd: (outcome: "member" | "broken") => void;
}

function Accept({secret, invitation: {companyName = "", emailMasked, expiresAt}, onEnd}: AcceptProps): JSX.Element {
    const [name, setName] = useState("");
    const [isMissing, setMissing] = useState(false);
    const accept = useChange("InvitationService", "AcceptInvitation");
    const hasBroken = accept.error !== undefined && isRefusedLink(accept.error);
    useEffect(() => { if (hasBroken) onEnd("broken"); }, [hasBroken]);
    async function submit(): Promise<void> {
        setMissing(name.trim() === "");
        if (name.trim() === "") return;
        if (await accept.run({secret, displayName: name.trim()})) onEnd("member");
    }
    return (
        <Page title={strings.title} lead={strings.lead(companyName)}>
            <div class="card stack">
                <Facts facts={[[strings.email, emailMasked], [strings.expires, <Time at={expiresAt} />]]} />
                <Form onSubmit={submit} error={accept.error} ownFields={["displayName"]}
                    actions={<Button kind="primary" type="submit" busy={accept.busy}>{strings.accept}</Button>}>
                    <TextField label={strings.name} hint={strings.nameHint} required value={name} onValue={setName} maxLength={100}
                        autocomplete="name"
                        error={isMissing ? strings.nameMissing : accept.error?.violationOf("displayName")} />
                </Form>
            </div>
        </Page>
    );
}

/** Not a name that is not taken, which is also INVALID_ARGUMENT. */
const isRefusedLink = (error: RpcError): boolean => isBroken(error) && !error.violationOf("displayName");
