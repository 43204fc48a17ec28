// A published list that gives way to the one before unless it is kept: how long there is, and *Keep it*.

import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import {useChange} from "../rpc/use_change.ts";
import {confirmation as strings} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {ErrorBox} from "../ui/error_box.tsx";
import {Note} from "../ui/note.tsx";
import {Time} from "../ui/time.tsx";
import {clockText, reachedMark, secondsLeft} from "./countdown.ts";

const TICK_MS = 1000;
/** How often a page whose time is over looks whether the list before is back. */
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

export function ConfirmationNote({confirmBy, mayManage, onChanged}: {confirmBy: string; mayManage: boolean; onChanged: () => void}): JSX.Element {
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
        if (await confirm.run({})) announce(strings.kept);
        onChanged();
    }
    return (
        <Note tone="warn">
            <p><strong>{isOver ? strings.over : strings.title}</strong> {strings.text}</p>
            {!isOver && <p>{strings.left}: <span class="clock" role="timer">{clockText(left)}</span> (<Time at={confirmBy} />)</p>}
            {mayManage && !isOver && <Button kind="primary" busy={confirm.busy} onClick={keep}>{strings.keep}</Button>}
            {confirm.error && <ErrorBox error={confirm.error} onRetry={keep} />}
        </Note>
    );
}
