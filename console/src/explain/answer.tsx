import type {JSX} from "preact";
import type {ExplainResponse, ExplainStep, ListedEntry} from "../../gen/api.ts";
import {explain, reasons, refusals} from "../strings.ts";
import {Badge} from "../ui/badge.tsx";
import {Facts} from "../ui/facts.tsx";
import {Note} from "../ui/note.tsx";
import {Table, type Column} from "../ui/table.tsx";

function checkName(check: string | undefined): string {
    return reasons[check ?? ""] ?? check ?? "";
}

const COLUMNS: Column<ExplainStep>[] = [
    {title: explain.columns.check, cell: ({check}) => checkName(check)},
    {title: explain.columns.result, cell: ({passed}) => <Badge tone={passed ? "good" : "bad"}>{passed ? explain.passed : explain.failed}</Badge>},
    {title: explain.columns.detail, cell: ({detail}) => detail},
];

export function ExplainAnswer({answer: {response = {}, steps = [], matchedEntry, nearestMiss}}: {answer: ExplainResponse}): JSX.Element {
    // Only this one value admits: any other, known or not, is a refusal.
    const isAllowed = response.decision === "DECISION_ALLOW";
    return (
        <section class="stack" aria-label={explain.resultTitle}>
            <h2>{explain.resultTitle}</h2>
            <Note tone={isAllowed ? "good" : "danger"}>
                <p><strong>{isAllowed ? explain.allowed : explain.refused}.</strong> {isAllowed ? explain.allowedText : `${refusals[response.reason ?? ""] ?? response.reason ?? ""}.`}</p>
            </Note>
            <Facts facts={[
                [explain.matched, matchedEntry && <Entry entry={matchedEntry} />],
                [explain.nearest, nearestMiss && <Entry entry={nearestMiss} isNear />],
            ]} />
            <Table caption={explain.caption} columns={COLUMNS} rows={steps} keyOf={({check = ""}) => check} />
        </section>
    );
}

function Entry({entry: {cidr, domain, list, commonBits = 0}, isNear = false}: {entry: ListedEntry; isNear?: boolean}): JSX.Element {
    const where = explain.lists[list ?? ""] ?? "";
    return <><code>{cidr || domain}</code> <span class="quiet">{[where, isNear && cidr && explain.bitsInCommon(commonBits)].filter(Boolean).join(", ")}</span></>;
}
