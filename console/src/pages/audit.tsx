import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AuditEvent} from "../../gen/api.ts";
import {actorText} from "../audit/actor.ts";
import {ChainCard} from "../audit/chain_card.tsx";
import {EventDialog} from "../audit/event_dialog.tsx";
import {EventFilters} from "../audit/event_filters.tsx";
import {filtersOf, requestOf} from "../audit/filters.ts";
import type {PageProps} from "../app/routes.ts";
import {call} from "../rpc/call.ts";
import {usePages} from "../rpc/use_pages.ts";
import {audit as strings} from "../strings.ts";
import {Badge} from "../ui/badge.tsx";
import {Button} from "../ui/button.tsx";
import {Email} from "../ui/email.tsx";
import {Empty} from "../ui/empty.tsx";
import {Ip} from "../ui/ip.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Pager} from "../ui/pager.tsx";
import {Table, type Column} from "../ui/table.tsx";
import {Time} from "../ui/time.tsx";

const COLUMNS: Column<AuditEvent>[] = [
    {title: strings.what, cell: ({action, count = "1", objectId}) => (
        <>{action} {count !== "1" && <Badge tone="warn">{strings.count(count)}</Badge>} <code class="below">{objectId}</code></>
    )},
    {title: strings.who, cell: ({actor = {}}) => <Email address={actorText(actor)} />},
    {title: strings.from, cell: ({clientIp}) => <Ip address={clientIp} />},
    {title: strings.at, cell: ({at}) => <Time at={at} />},
];

export default function Audit({query}: PageProps): JSX.Element {
    const filters = filtersOf(query);
    const [open, setOpen] = useState<AuditEvent | null>(null);
    const pages = usePages(async (pageToken, signal) => {
        const {events = [], nextPageToken = ""} = await call("AuditService", "ListAuditEvents", {...requestOf(filters), pageToken}, {signal});
        return {items: events, next: nextPageToken};
    }, JSON.stringify(filters));
    const columns = [...COLUMNS, {
        title: strings.details, isActions: true, cell: (event: AuditEvent) => (
            <Button onClick={() => setOpen(event)}
                aria-label={strings.detailsOf(event.action ?? "", event.sequence ?? "")}>{strings.details}</Button>
        ),
    }];
    return (
        <Page title={strings.title} lead={strings.lead}>
            <div class="stack">
                <ChainCard />
                <section aria-labelledby="events">
                    <h2 id="events">{strings.events}</h2>
                    <EventFilters key={JSON.stringify(filters)} filters={filters} />
                    <Loaded of={pages.page}>
                        {({items}) => items.length > 0
                            ? <Table caption={strings.events} columns={columns} rows={items} keyOf={({eventId = ""}) => eventId} />
                            : <Empty title={strings.none} />}
                    </Loaded>
                    <Pager of={pages} />
                </section>
            </div>
            {open && <EventDialog event={open} onClose={() => setOpen(null)} />}
        </Page>
    );
}
