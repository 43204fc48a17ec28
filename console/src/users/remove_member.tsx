// Removes a member for good, after saying what becomes of the access tokens.

import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Member} from "../../gen/api.ts";
import {navigate} from "../app/router.tsx";
import {useChange} from "../rpc/use_change.ts";
import {useRpc} from "../rpc/use_load.ts";
import {useSignedIn} from "../session/context.ts";
import {common, member as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {SelectField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Loaded} from "../ui/loaded.tsx";

type Fate = "end" | "company";

const FATES: readonly {value: Fate; text: string}[] = [{value: "end", text: strings.tokensEnd}, {value: "company", text: strings.tokensToCompany}];

export function RemoveDialog({member: {memberId = "", email = ""}, onClose}: {member: Member; onClose: () => void}): JSX.Element {
    const {caller} = useSignedIn();
    const [fate, setFate] = useState<Fate>("end");
    const remove = useChange("MemberService", "RemoveMember");
    const request = {memberId, ...(fate === "company" && {transferTokensTo: caller.companyId ?? ""})};
    const trial = useRpc("MemberService", "RemoveMember", {...request, dryRun: true});
    async function run(): Promise<void> {
        if (!await remove.run(request)) return;
        announce(strings.removed(email));
        navigate("/users");
    }
    return (
        <Dialog title={strings.removeTitle} onClose={onClose}>
            <Form onSubmit={run} error={remove.error} actions={<>
                <Button kind="danger" type="submit" busy={remove.busy}>{strings.remove}</Button>
                <Button onClick={onClose}>{common.cancel}</Button>
            </>}>
                <p>{strings.removeText(email)}</p>
                <SelectField label={strings.tokens} value={fate} onValue={setFate} options={FATES} />
                <Loaded of={trial} rows={1}>
                    {({tokenCount = "0", narrowedCount = "0", unreachableCount = "0"}) => (
                        <div>
                            <p>{strings.tokenCount(Number(tokenCount))}</p>
                            {narrowedCount !== "0" && <p>{strings.narrowed(Number(narrowedCount))}</p>}
                            {unreachableCount !== "0" && <p>{strings.unreachable(Number(unreachableCount))}</p>}
                        </div>
                    )}
                </Loaded>
            </Form>
        </Dialog>
    );
}
