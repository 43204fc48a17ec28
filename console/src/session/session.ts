// Who is signed in, and how one signs in and out: the console's own requests, which are no methods of the servers.

import {postJson} from "../rpc/post_json.ts";
import {readConnectError} from "../rpc/connect_error.ts";
import {RpcError} from "../rpc/rpc_error.ts";

export interface Session {
    signedIn: boolean;
    /** In which ways one may sign in. */
    ways: ("mail" | "openid")[];
    /** What the OpenID provider is called. */
    provider?: string;
    /** The company that one signs in to unless another is named. */
    company: string | null;
    /** The page's own address as the server sees it. */
    clientIp: string;
}

export async function loadSession(signal?: AbortSignal): Promise<Session> {
    let answer: Response;
    try {
        answer = await fetch("/session", {headers: {Accept: "application/json"}, cache: "no-store", signal: signal ?? null});
    } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw new RpcError({code: "unavailable", reason: "NETWORK", message: error instanceof Error ? error.message : ""});
    }
    const body: unknown = await answer.json().catch(() => undefined);
    if (!answer.ok || typeof body !== "object" || body === null) throw readConnectError(answer.status, body);
    return body as Session;
}

/** Has a link sent to the address, if it is a member's: the answer does not tell. */
export async function requestLink(email: string, company: string): Promise<void> {
    await postJson("/session/mail", company === "" ? {email} : {email, company});
}

export async function openLink(secret: string): Promise<void> {
    await postJson("/session/link", {secret});
}

export async function endSession(): Promise<void> {
    await postJson("/session/end", {});
}

/** Where the browser has to go to sign in by the identity provider. It comes back to /sign-in. */
export async function beginOpenId(company: string): Promise<string> {
    const {location} = await postJson("/session/openid", company === "" ? {} : {company}) as {location: string};
    const {protocol} = new URL(location);
    if (protocol !== "https:" && protocol !== "http:") throw new RpcError({code: "internal", reason: "", message: ""});
    return location;
}
