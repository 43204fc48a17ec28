// Walks the chain of hashes, in as many calls as it takes, and says how it ended.

import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {VerifyAuditLogResponse} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";
import type {RpcError} from "../rpc/rpc_error.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {audit as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Note} from "../ui/note.tsx";
import {hexOf, isOver, nextStep, type Walk} from "./walk.ts";

export function ChainCard(): JSX.Element {
    const [walk, setWalk] = useState<Walk | null>(null);
    const [error, setError] = useState<RpcError | undefined>(undefined);
    const running = useRef<AbortController | null>(null);
    const [busy, setBusy] = useState(false);
    useEffect(() => () => running.current?.abort(), []);

    async function run(): Promise<void> {
        const {signal} = running.current = new AbortController();
        setError(undefined);
        setBusy(true);
        try {
            let now: Walk = {checked: 0};
            do {
                const answer: VerifyAuditLogResponse = await call("AuditService", "VerifyAuditLog", nextStep(now), {signal});
                now = {checked: now.checked + Number(answer.eventsChecked ?? 0), last: answer};
                setWalk(now);
            } while (!isOver(now));
        } catch (failure) {
            if (!signal.aborted) setError(asRpcError(failure));
        } finally {
            setBusy(false);
        }
    }
    return (
        <section class="card stack" aria-labelledby="chain">
            <h2 id="chain">{strings.chain}</h2>
            <p class="quiet">{strings.chainLead}</p>
            <div class="actions">
                <Button busy={busy} onClick={run}>{strings.verify}</Button>
                {busy && <Button onClick={() => running.current?.abort()}>{strings.stop}</Button>}
            </div>
            <div role="status">{walk && <Ended walk={walk} />}</div>
            {error && <ErrorBox error={error} onRetry={run} />}
        </section>
    );
}

function Ended({walk}: {walk: Walk}): JSX.Element {
    const {intact, brokenSequence = "0", brokenEventId, detail, headSequence = "0", headHash} = walk.last ?? {};
    if (brokenSequence !== "0") {
        return (
            <Note tone="danger">
                <p><strong>{strings.broken(brokenSequence)}</strong> {detail}</p>
                {brokenEventId && <p>{strings.brokenEvent}: <code>{brokenEventId}</code></p>}
            </Note>
        );
    }
    if (!intact) return <p>{strings.walking(walk.checked, Number(headSequence))}</p>;
    return (
        <Note tone="good">
            <p><strong>{strings.intact(walk.checked)}</strong></p>
            <p>{strings.head} ({headSequence}): <code>{hexOf(headHash)}</code><br /><span class="hint">{strings.headHint}</span></p>
        </Note>
    );
}
