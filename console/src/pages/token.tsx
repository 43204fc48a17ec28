// One access token: what it is, its secrets, and what can be done with it.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {Link} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import {useRpc} from "../rpc/use_load.ts";
import {token as text} from "../strings.ts";
import {TokenActions} from "../token/actions.tsx";
import {TokenFacts, TokenSecrets} from "../token/facts.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Secret} from "../ui/secret.tsx";
import {useUnsaved} from "../ui/use_unsaved.ts";

export default function Token({parts: {id = ""}}: PageProps): JSX.Element {
    const loading = useRpc("TokenService", "GetAccessToken", {tokenId: id});
    const known = loading.data?.accessToken;
    return (
        <Page title={known?.label || text.title} lead={<Link href="/tokens">{text.back}</Link>}>
            <Loaded of={loading}>{({accessToken}) => accessToken && <Shown token={accessToken} onChanged={loading.reload} />}</Loaded>
        </Page>
    );
}

function Shown({token, onChanged}: {token: AccessToken; onChanged: () => void}): JSX.Element {
    const [secret, setSecret] = useState("");
    useUnsaved(secret !== "");
    return (
        <div class="stack">
            {secret !== "" && <Secret secret={secret} onSaved={() => setSecret("")} />}
            <section class="card" aria-label={text.facts}><TokenFacts token={token} /></section>
            <TokenSecrets secrets={token.secrets ?? []} />
            <TokenActions token={token} onChanged={onChanged} onSecret={setSecret} />
        </div>
    );
}
