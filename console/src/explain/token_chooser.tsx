// Chooses a token among those whose label holds a text; the one that a link named is among them in any case.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {call} from "../rpc/call.ts";
import {useLoad} from "../rpc/use_load.ts";
import {explain} from "../strings.ts";
import {stateName} from "../token/state.ts";
import {ErrorBox} from "../ui/error_box.tsx";
import {SelectField, TextField} from "../ui/field.tsx";
import {useDebounced} from "../ui/use_debounced.ts";

const SHOWN_MAX = 100;

async function loadTokens(labelContains: string, tokenId: string, signal: AbortSignal): Promise<AccessToken[]> {
    const {accessTokens = []} = await call("TokenService", "ListAccessTokens", {pageSize: SHOWN_MAX, labelContains}, {signal});
    if (tokenId === "" || accessTokens.some(token => token.tokenId === tokenId)) return accessTokens;
    const {accessToken} = await call("TokenService", "GetAccessToken", {tokenId}, {signal});
    return accessToken ? [accessToken, ...accessTokens] : accessTokens;
}

interface TokenChooserProps {
    tokenId: string;
    error: string | undefined;
    onTokenId: (tokenId: string) => void;
}

export function TokenChooser({tokenId, error, onTokenId}: TokenChooserProps): JSX.Element {
    const [text, setText] = useState("");
    const [linked] = useState(tokenId);
    const asked = useDebounced(text.trim());
    const found = useLoad(signal => loadTokens(asked, linked, signal), asked);
    const options = [
        {value: "", text: explain.noToken},
        ...(found.data ?? []).map(token => ({value: token.tokenId ?? "", text: `${token.label} (${stateName(token.state)})`})),
    ];
    return (
        <div class="row">
            <TextField label={explain.find} type="search" value={text} onValue={setText} />
            <SelectField label={explain.token} required error={error} value={tokenId} options={options} onValue={onTokenId} />
            {found.error && <ErrorBox error={found.error} onRetry={found.reload} />}
        </div>
    );
}
