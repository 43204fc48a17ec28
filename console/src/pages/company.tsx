import {Fragment, type JSX} from "preact";
import type {Company as CompanyMessage} from "../../gen/api.ts";
import {formOf} from "../company/policy.ts";
import {PolicyForm} from "../company/policy_form.tsx";
import {textOf} from "../company/policy_text.ts";
import {useRpc} from "../rpc/use_load.ts";
import {may, useSignedIn} from "../session/context.ts";
import {company as strings} from "../strings.ts";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Time} from "../ui/time.tsx";

export default function Company(): JSX.Element {
    const found = useRpc("CompanyService", "GetCompany", {});
    return (
        <Page title={strings.title} lead={strings.lead}>
            <Loaded of={found}>{data => data.company && <Parts company={data.company} />}</Loaded>
        </Page>
    );
}

function Parts({company}: {company: CompanyMessage}): JSX.Element {
    const mayManage = may(useSignedIn(), "latchkey.company.manage");
    return (
        <div class="stack">
            <dl class="facts card">
                <dt>{strings.id}</dt><dd><code>{company.companyId}</code></dd>
                {company.externalId && <><dt>{strings.externalId}</dt><dd><code>{company.externalId}</code></dd></>}
                <dt>{strings.made}</dt><dd><Time at={company.createdAt} /></dd>
            </dl>
            <section class="card stack" aria-labelledby="rules">
                <h2 id="rules">{strings.rules}</h2>
                {mayManage ? <PolicyForm company={company} /> : <ReadOnly company={company} />}
            </section>
        </div>
    );
}

function ReadOnly({company}: {company: CompanyMessage}): JSX.Element {
    return (
        <>
            <p class="quiet">{strings.readOnly}</p>
            <dl class="facts">
                {Object.entries(formOf(company)).map(([name, value]) => (
                    <Fragment key={name}><dt>{String(strings[name as keyof typeof strings])}</dt><dd>{textOf(name, value)}</dd></Fragment>
                ))}
            </dl>
        </>
    );
}
