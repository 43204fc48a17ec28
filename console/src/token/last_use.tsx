import type {JSX} from "preact";
import type {AccessToken} from "../../gen/api.ts";
import {tokens} from "../strings.ts";
import {Time} from "../ui/time.tsx";

export function LastUse({of: {lastUsedAt, lastUsedIp}}: {of: Pick<AccessToken, "lastUsedAt" | "lastUsedIp">}): JSX.Element {
    return (
        <>
            <Time at={lastUsedAt} never={tokens.neverUsed} />
            {lastUsedIp && <> <span class="quiet nowrap">{tokens.from(lastUsedIp)}</span></>}
        </>
    );
}
