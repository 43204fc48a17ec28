// What every page may know: the session, and who the caller is in the servers' eyes.

import {createContext} from "preact";
import {useContext} from "preact/hooks";
import type {Caller} from "../../gen/api.ts";
import type {Session} from "./session.ts";

export interface SignedIn {
    session: Session;
    caller: Caller;
}

export const SignedInContext = createContext<SignedIn | null>(null);

/** Only inside of the shell, where somebody is signed in. */
export function useSignedIn(): SignedIn {
    const signedIn = useContext(SignedInContext);
    if (signedIn === null) throw new Error("nobody is signed in here");
    return signedIn;
}

/** Whether the caller may, so that a page does not offer what would be refused. The server is who decides. */
export function may({caller}: SignedIn, permission: string): boolean {
    return caller.permissions?.includes(permission) ?? false;
}
