// The server does not know the session any more. Who has typed nothing is led to the door; else the page stays as it is, below the dialog
// of `session/signed_out.tsx`. What was typed stays in this page's memory and is put nowhere else; a secret on the page is not kept. Where
// the session has become somebody else's, nothing of the page stays. Where the page's requests do not say for whom they are, the session
// is not over, and the door would lead back here: it stops, until it is loaded anew.

import {useEffect, useState} from "preact/hooks";
import {setOnSessionOver} from "../rpc/call.ts";
import {setOnCallerMissing, setOnOtherCaller} from "../rpc/caller.ts";
import {keepReturn} from "../session/return_to.ts";
import {isWorthKeeping} from "../ui/typed.ts";
import {navigate} from "./router.tsx";

export const SIGN_IN = "/sign-in";
const OTHER = "/somebody-else";

export interface SessionOver {
    /** Something typed waits for its author to be signed in again. */
    isHeld: boolean;
    /** The page goes nowhere but into a new one. */
    isStopped: boolean;
    goOn: () => void;
    leave: () => void;
}

// Once, however many calls of the page find that it is over: the door is not where one wants to come back to.
function goToSignIn(): void {
    if (location.pathname === SIGN_IN) return;
    keepReturn(location.pathname + location.search, Date.now());
    navigate(SIGN_IN, {replace: true});
}

function forget(): void {
    navigate(OTHER, {replace: true});
    // A whole new page, once the form is gone, which would have the browser ask whether to stay.
    setTimeout(() => location.replace(OTHER));
}

export function useSessionOver(): SessionOver {
    const [isHeld, setHeld] = useState(false);
    const [isStopped, setStopped] = useState(false);
    useEffect(() => {
        setOnSessionOver(() => isWorthKeeping() ? setHeld(true) : goToSignIn());
        setOnOtherCaller(forget);
        // A form says so itself, and keeps what was typed.
        setOnCallerMissing(() => { if (!isWorthKeeping()) setStopped(true); });
        return () => {
            setOnSessionOver(() => {});
            setOnOtherCaller(() => {});
            setOnCallerMissing(() => {});
        };
    }, []);
    return {isHeld, isStopped, goOn: () => setHeld(false), leave: goToSignIn};
}
