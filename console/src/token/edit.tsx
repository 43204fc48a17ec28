// What may be changed about an access token.

import type {JSX} from "preact";
import type {AccessToken} from "../../gen/api.ts";
import {AmendForm} from "../form/amend_form.tsx";
import {useAmendment, type Amendment} from "../form/use_amendment.ts";
import {PermissionChoice} from "../permission/choice.tsx";
import {call} from "../rpc/call.ts";
import {useChange} from "../rpc/use_change.ts";
import {common, newToken, token as text} from "../strings.ts";
import {Button, ButtonLink} from "../ui/button.tsx";
import {TextField} from "../ui/field.tsx";
import {IpListField} from "../ui/ip_list_field.tsx";
import {LinesField} from "../ui/lines_field.tsx";
import {judgeDomain} from "./domain.ts";
import {editFormOf, updateOf, type EditForm} from "./edit_form.ts";

const LABELS = {
    label: newToken.label, description: text.description, permissions: newToken.permissions, expiresAt: text.expires,
    allowedDomains: newToken.domains, allowedIps: newToken.ips,
};

export function EditToken({token, onSaved}: {token: AccessToken; onSaved: () => void}): JSX.Element {
    const tokenId = token.tokenId ?? "";
    const update = useChange("TokenService", "UpdateAccessToken");
    const amendment = useAmendment({
        object: token, formOf: editFormOf, updateOf, update, onSaved,
        send: async (request, force) => (await update.run({...request, force}))?.accessToken,
        load: async () => (await call("TokenService", "GetAccessToken", {tokenId})).accessToken,
    });
    const actions = (
        <>
            <Button kind="primary" type="submit" busy={amendment.busy}>{text.save}</Button>
            <ButtonLink href={`/tokens/${tokenId}`}>{common.cancel}</ButtonLink>
        </>
    );
    return (
        <AmendForm of={amendment} labels={LABELS} path="accessToken" actions={actions}>
            <EditFields of={amendment} isForUi={token.channels?.includes("CHANNEL_UI") ?? false} />
        </AmendForm>
    );
}

function EditFields({of: {form, set, error}, isForUi}: {of: Amendment<EditForm>; isForUi: boolean}): JSX.Element {
    const said = (field: keyof typeof LABELS): string | undefined => error?.violationOf(`accessToken.${field}`);
    return (
        <>
            <TextField label={newToken.label} required maxLength={100} autocomplete="off" value={form.label} error={said("label")}
                onValue={label => set({label})} />
            <TextField label={text.description} maxLength={500} autocomplete="off" value={form.description} error={said("description")}
                onValue={description => set({description})} />
            <PermissionChoice chosen={form.permissions} error={said("permissions")} onChosen={permissions => set({permissions})} />
            <TextField label={text.expires} hint={text.expiresHint} type="datetime-local" value={form.expiresAt} error={said("expiresAt")}
                onValue={expiresAt => set({expiresAt})} />
            {isForUi && <LinesField label={newToken.domains} hint={newToken.domainsHint} value={form.allowedDomains} judge={judgeDomain}
                error={said("allowedDomains")} onValue={allowedDomains => set({allowedDomains})} />}
            <IpListField label={newToken.ips} hint={newToken.ipsHint} value={form.allowedIps} error={said("allowedIps")}
                onValue={allowedIps => set({allowedIps})} />
        </>
    );
}
