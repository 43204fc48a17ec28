// *Explain*: why a token is let in or refused, check by check, without its secret.

import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import type {Channel, ExplainRequest, ExplainResponse} from "../../gen/api.ts";
import type {PageProps} from "../app/routes.ts";
import {ExplainAnswer} from "../explain/answer.tsx";
import {TokenChooser} from "../explain/token_chooser.tsx";
import {call} from "../rpc/call.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {useSignedIn} from "../session/context.ts";
import {explain} from "../strings.ts";
import {splitLines} from "../ui/lines.ts";
import {Button} from "../ui/button.tsx";
import {AreaField, SelectField, TextField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Page} from "../ui/page.tsx";

const CHANNELS = Object.entries(explain.channels).map(([value, text]) => ({value: value as Channel, text}));

const OWN_FIELDS = ["tokenId", "request.clientIp", "request.permissions"];

interface Question {
    tokenId: string;
    address: string;
    channel: Channel;
    domain: string;
    permissions: string;
}

function requestOf({tokenId, address, channel, domain, permissions}: Question): ExplainRequest {
    return {
        tokenId,
        request: {
            clientIp: address.trim(), channel, permissions: splitLines(permissions),
            ...(channel === "CHANNEL_UI" && {domain: domain.trim()}),
        },
    };
}

type Outcome = {answer: ExplainResponse} | {error: RpcError} | null;

export default function Explain({query}: PageProps): JSX.Element {
    const {session} = useSignedIn();
    const [question, setQuestion] = useState<Question>({
        tokenId: query.get("token") ?? "", address: session.clientIp, channel: "CHANNEL_API", domain: "", permissions: "",
    });
    const {busy, isMissing, outcome, ask} = useAnswer(question);
    const error = outcome && "error" in outcome ? outcome.error : undefined;
    const change = (part: Partial<Question>): void => setQuestion({...question, ...part});
    return (
        <Page title={explain.title} lead={explain.lead}>
            <div class="stack">
                <Form onSubmit={ask} error={error} ownFields={OWN_FIELDS} actions={<Button kind="primary" type="submit" busy={busy}>{explain.ask}</Button>}>
                    <TokenChooser tokenId={question.tokenId} error={isMissing ? explain.tokenMissing : error?.violationOf("tokenId")}
                        onTokenId={tokenId => change({tokenId})} />
                    <div class="row">
                        <TextField label={explain.address} hint={explain.addressHint} autocomplete="off" value={question.address}
                            error={error?.violationOf("request.clientIp")} onValue={address => change({address})} />
                        <SelectField label={explain.channel} value={question.channel} options={CHANNELS} onValue={channel => change({channel})} />
                    </div>
                    {question.channel === "CHANNEL_UI" && <TextField label={explain.domain} hint={explain.domainHint} autocomplete="off"
                        value={question.domain} onValue={domain => change({domain})} />}
                    <AreaField label={explain.permissions} hint={explain.permissionsHint} rows={2} spellcheck={false} value={question.permissions}
                        error={error?.violationOf("request.permissions")} onValue={permissions => change({permissions})} />
                </Form>
                <div aria-live="polite">{outcome && "answer" in outcome && <ExplainAnswer answer={outcome.answer} />}</div>
            </div>
        </Page>
    );
}

// An answer to another question than the one in the form would mislead: it goes when the form changes.
function useAnswer(question: Question): {busy: boolean; isMissing: boolean; outcome: Outcome; ask: () => Promise<void>} {
    const [busy, setBusy] = useState(false);
    const [isMissing, setMissing] = useState(false);
    const [outcome, setOutcome] = useState<Outcome>(null);
    useEffect(() => setOutcome(null), [JSON.stringify(question)]);
    async function ask(): Promise<void> {
        setMissing(question.tokenId === "");
        if (busy || question.tokenId === "") return;
        setBusy(true);
        try {
            setOutcome({answer: await call("ValidationService", "Explain", requestOf(question))});
        } catch (failure) {
            setOutcome({error: asRpcError(failure)});
        } finally {
            setBusy(false);
        }
    }
    return {busy, isMissing, outcome, ask};
}
