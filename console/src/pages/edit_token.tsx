import type {JSX} from "preact";
import {navigate} from "../app/router.tsx";
import type {PageProps} from "../app/routes.ts";
import {useRpc} from "../rpc/use_load.ts";
import {token as text} from "../strings.ts";
import {EditToken as Edit} from "../token/edit.tsx";
import {announce} from "../ui/announce.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";

export default function EditToken({parts: {id = ""}}: PageProps): JSX.Element {
    const loading = useRpc("TokenService", "GetAccessToken", {tokenId: id});
    function saved(): void {
        announce(text.saved);
        navigate(`/tokens/${id}`);
    }
    return (
        <Page title={text.editTitle(loading.data?.accessToken?.label ?? "")}>
            <Loaded of={loading}>{({accessToken}) => accessToken && <Edit token={accessToken} onSaved={saved} />}</Loaded>
        </Page>
    );
}
