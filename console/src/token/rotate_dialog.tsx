import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {AccessToken} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {common, token as text} from "../strings.ts";
import {durationOfSeconds} from "../time/duration.ts";
import {Button} from "../ui/button.tsx";
import {Dialog} from "../ui/dialog.tsx";
import {CheckField, SelectField} from "../ui/field.tsx";
import {Form} from "../ui/form.tsx";
import {Note} from "../ui/note.tsx";

type Grace = keyof typeof text.graces;

const GRACES = (Object.keys(text.graces) as Grace[]).map(value => ({value, text: text.graces[value]}));
const GRACE_USUAL: Grace = "86400";

interface RotateDialogProps {
    token: AccessToken;
    onClose: () => void;
    onRotated: (secret: string) => void;
}

export function RotateDialog({token: {tokenId = "", secrets = []}, onClose, onRotated}: RotateDialogProps): JSX.Element {
    const [grace, setGrace] = useState<Grace>(GRACE_USUAL);
    const [supersede, setSupersede] = useState(false);
    const [isWithheld, setWithheld] = useState(false);
    const {busy, error, run} = useChange("TokenService", "RotateAccessToken");
    const isInGrace = secrets.length > 1 || isWithheld || error?.reason === "ROTATION_IN_GRACE";
    async function rotate(): Promise<void> {
        const rotated = await run({tokenId, grace: durationOfSeconds(Number(grace)), supersede: supersede && isInGrace});
        if (rotated?.secret) onRotated(rotated.secret);
        else if (rotated) setWithheld(true);
    }
    const actions = (
        <>
            <Button kind="primary" type="submit" busy={busy}>{text.rotate}</Button>
            <Button onClick={onClose}>{common.cancel}</Button>
        </>
    );
    return (
        <Dialog title={text.rotateTitle} onClose={onClose}>
            <Form onSubmit={rotate} error={error} actions={actions}>
                <p>{text.rotateText}</p>
                {isWithheld && <Note tone="warn" alert><p>{text.rotateWithheld}</p></Note>}
                <SelectField label={text.grace} value={grace} options={GRACES} onValue={setGrace} />
                {isInGrace && <CheckField label={text.supersede} hint={text.supersedeHint} checked={supersede} onChecked={setSupersede} />}
            </Form>
        </Dialog>
    );
}
