// All that is known of one event, and what it has changed.

import {Fragment, type JSX} from "preact";
import type {AuditEvent} from "../../gen/api.ts";
import {audit as strings, common} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";
import {actorText} from "./actor.ts";
import {changesOf, type FieldChange} from "./changes.ts";
import {hexOf} from "./walk.ts";

const COLUMNS: Column<FieldChange>[] = [
    {title: strings.field, cell: ({field}) => <code>{field}</code>},
    {title: strings.before, cell: ({before}) => before},
    {title: strings.after, cell: ({after}) => after},
];

export function EventDialog({event, onClose}: {event: AuditEvent; onClose: () => void}): JSX.Element {
    const {action = "", sequence = "0", at, actor = {}, objectId, clientIp, userAgent, requestId, hash, erased} = event;
    const changes = changesOf(event.before, event.after);
    const facts: [string, JSX.Element | string | undefined][] = [
        [strings.at, <Time at={at} />],
        [strings.who, actorText(actor)],
        [strings.token, actor.tokenId],
        [strings.on, objectId],
        [strings.from, clientIp],
        [strings.agent, userAgent],
        [strings.requestId, requestId],
        [strings.hash, hexOf(hash)],
    ];
    return (
        <Dialog title={strings.detailsOf(action, sequence)} onClose={onClose}>
            <div class="stack">
                {erased && <p class="quiet">{strings.erased}</p>}
                <dl class="facts">
                    {facts.filter(([, value]) => value).map(([name, value]) => <Fragment key={name}><dt>{name}</dt><dd>{value}</dd></Fragment>)}
                </dl>
                {changes.length > 0 ? <Table caption={strings.details} columns={COLUMNS} rows={changes} keyOf={({field}) => field} /> : <p>{strings.noChange}</p>}
                <div class="actions"><Button onClick={onClose}>{common.close}</Button></div>
            </div>
        </Dialog>
    );
}
