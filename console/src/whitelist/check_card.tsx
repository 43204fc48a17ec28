// Whether the list holds an address: by which entry, or how nearly.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {CheckIpResponse} from "../../gen/api.ts";
import {judgeAddress} from "../ip/judge.ts";
import {useRpc} from "../rpc/use_load.ts";
import {check as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Note} from "../ui/note.tsx";

export function CheckCard({draftId}: {draftId: string}): JSX.Element {
    const [typed, setTyped] = useState("");
    const [problem, setProblem] = useState<string | undefined>(undefined);
    const [asked, setAsked] = useState<{address: string; turn: number} | null>(null);
    function submit(event: Event): void {
        event.preventDefault();
        const address = typed.trim();
        const wrong = address === "" ? undefined : judgeAddress(address);
        setProblem(wrong);
        if (!wrong) setAsked({address, turn: (asked?.turn ?? 0) + 1});
    }
    return (
        <section class="card stack" aria-labelledby="check-address">
            <h2 id="check-address">{strings.title}</h2>
            <form class="row" onSubmit={submit}>
                <TextField label={strings.address} hint={strings.hint} value={typed} onValue={setTyped} error={problem} autocomplete="off" />
                <Button type="submit">{strings.check}</Button>
            </form>
            {asked && <Answer key={asked.turn} address={asked.address} draftId={draftId} />}
        </section>
    );
}

function Answer({address, draftId}: {address: string; draftId: string}): JSX.Element {
    const found = useRpc("WhitelistService", "CheckIp", {clientIp: address, draftId});
    return <Loaded of={found} rows={1}>{data => <Found found={data} />}</Loaded>;
}

function Found({found: {listed, clientIp = "", enabled, matchedEntry, nearestMiss, nearestMissCommonBits = 0}}: {found: CheckIpResponse}): JSX.Element {
    const entry = matchedEntry ?? nearestMiss;
    return (
        <div role="status">
            <Note tone={listed ? "good" : "warn"}>
                <p><strong>{listed ? strings.listed(clientIp) : strings.unlisted(clientIp)}</strong> {!enabled && strings.off}</p>
                {entry && (
                    <p>
                        {listed ? strings.by : strings.nearest} <code>{entry.cidr}</code>{entry.note && `, ${entry.note}`}
                        {!listed && ` (${strings.common(nearestMissCommonBits)})`}
                    </p>
                )}
            </Note>
        </div>
    );
}
