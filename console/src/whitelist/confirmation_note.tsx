// A published list, or settings, that give way to those before unless they are kept: how long there is, and *Keep it*.

import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {WhitelistUnconfirmed} from "../../gen/api.ts";
import {useChange} from "../rpc/use_change.ts";
import {confirmation as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Note} from "../ui/note.tsx";
import {Time} from "../ui/time.tsx";
import {clockText, reachedMark, secondsLeft} from "./countdown.ts";

const TICK_MS = 1000;
/** How often a page whose time is over looks whether what was before is back. */
const LOOK_MS = 2000;

function useSecondsLeft(until: string): number {
    const [left, setLeft] = useState(() => secondsLeft(until, Date.now()));
    useEffect(() => {
        const tick = (): void => setLeft(secondsLeft(until, Date.now()));
        tick();
        const timer = setInterval(tick, TICK_MS);
        return () => clearInterval(timer);
    }, [until]);
    return left;
}

/** Says the marks of the clock to who does not see it. */
function useMarks(left: number): void {
    const before = useRef(left);
    useEffect(() => {
        const mark = reachedMark(before.current, left);
        if (mark !== undefined) announce(strings.marks(mark));
        before.current = left;
    }, [left]);
}

interface ConfirmationNoteProps {
    confirmBy: string;
    unconfirmed: WhitelistUnconfirmed;
    mayManage: boolean;
    onChanged: () => void;
}

export function ConfirmationNote({confirmBy, unconfirmed, mayManage, onChanged}: ConfirmationNoteProps): JSX.Element {
    const words = strings.kinds[unconfirmed];
    const left = useSecondsLeft(confirmBy);
    const confirm = useChange("WhitelistService", "ConfirmWhitelist");
    const isOver = left === 0;
    useMarks(left);
    useEffect(() => {
        if (!isOver) return undefined;
        const timer = setInterval(onChanged, LOOK_MS);
        return () => clearInterval(timer);
    }, [isOver]);
    async function keep(): Promise<void> {
        if (await confirm.run({})) announce(words.kept);
        onChanged();
    }
    return (
        <Note tone="warn">
            <p><strong>{isOver ? words.over : words.title}</strong> {words.text}</p>
            {!isOver && <p>{strings.left}: <span class="clock" role="timer">{clockText(left)}</span> (<Time at={confirmBy} />)</p>}
            {mayManage && !isOver && <Button kind="primary" busy={confirm.busy} onClick={keep}>{words.keep}</Button>}
            {confirm.error && <ErrorBox error={confirm.error} onRetry={keep} />}
        </Note>
    );
}
