// What surrounds the pages of who is signed in: navigation, who one is, signing out. Finds out who that is before it shows a page.

import type {ComponentChildren, JSX} from "preact";
import {useState} from "preact/hooks";
import {useLoad} from "../rpc/use_load.ts";
import {askCaller} from "../session/ask_caller.ts";
import {SignedInContext, type SignedIn} from "../session/context.ts";
import {isRefusal} from "../session/refusal.ts";
import {Refused} from "../session/refused.tsx";
import {endSession, loadSession} from "../session/session.ts";
import {SignedOut} from "../session/signed_out.tsx";
import {Stopped} from "../session/stopped.tsx";
import {common, frame, signIn} from "../strings.ts";
import {announce} from "../ui/announce.tsx";
import {Button} from "../ui/button.tsx";
import {Email} from "../ui/email.tsx";
import {Loaded} from "../ui/loaded.tsx";
import {Page} from "../ui/page.tsx";
import {Mark} from "./brand.tsx";
import {isAt, navigationOf} from "./navigation.ts";
import {Link} from "./router.tsx";
import {SIGN_IN, useSessionOver} from "./session_over.ts";

// GetCaller is asked whatever the session says: only it tells who is refused for an address from who is not signed in. Once it has told
// for whom the page is, that holds: whatever the page asks for somebody else, GetCaller too, is refused.
async function loadSignedIn(signal: AbortSignal): Promise<SignedIn> {
    const session = await loadSession(signal);
    return {session, caller: await askCaller(signal)};
}

export function Shell({path, children}: {path: string; children: ComponentChildren}): JSX.Element {
    const over = useSessionOver();
    const signedIn = useLoad(loadSignedIn, "");
    // Whose address is not listed any more.
    const refused = signedIn.error?.reason ?? "";
    // What they may do now may be something else.
    function goOn(): void {
        over.goOn();
        signedIn.reload();
    }
    return (
        <div class="shell">
            <a class="skip" href="#page">{frame.skip}</a>
            <Bar path={path} signedIn={signedIn.data ?? null} />
            <main id="page" tabIndex={-1}>
                {over.isStopped ? <Stopped /> : isRefusal(refused) ? (
                    <Page title={signIn.title}><Refused reason={refused} address={signedIn.error?.metadata.clientIp ?? ""} /></Page>
                ) : (
                    <>
                        {!signedIn.data && <h1 class="unseen">{common.product}</h1>}
                        <Loaded of={signedIn}>
                            {data => <SignedInContext.Provider value={data}>{children}</SignedInContext.Provider>}
                        </Loaded>
                    </>
                )}
            </main>
            {over.isHeld && <SignedOut onBack={goOn} onLeave={over.leave} />}
        </div>
    );
}

// On a phone the navigation is folded away until it is asked for, and again when it has led somewhere.
function Bar({path, signedIn}: {path: string; signedIn: SignedIn | null}): JSX.Element {
    const [openAt, setOpenAt] = useState<string | null>(null);
    const isOpen = openAt === path;
    return (
        <header class="bar">
            <div class="brand-row">
                <Link href="/tokens" class="brand"><Mark /></Link>
                <button type="button" class="menu" aria-expanded={isOpen} aria-controls="navigation" onClick={() => setOpenAt(isOpen ? null : path)}>
                    {frame.menu}
                </button>
            </div>
            <div id="navigation" class={isOpen ? "fold open" : "fold"}>
                {signedIn && <Navigation path={path} permissions={signedIn.caller.permissions ?? []} />}
                {signedIn && <Person signedIn={signedIn} />}
            </div>
        </header>
    );
}

function Navigation({path, permissions}: {path: string; permissions: string[]}): JSX.Element {
    return (
        <nav aria-label={frame.navigation}>
            {navigationOf(permissions).map(({title, entries}) => (
                <div key={title} class="nav-group">
                    <p class="nav-title">{title}</p>
                    <ul>
                        {entries.map(entry => (
                            <li key={entry.href}>
                                <Link href={entry.href} aria-current={isAt(path, entry) ? "page" : undefined}>{entry.text}</Link>
                            </li>
                        ))}
                    </ul>
                </div>
            ))}
        </nav>
    );
}

function Person({signedIn: {caller}}: {signedIn: SignedIn}): JSX.Element {
    const [busy, setBusy] = useState(false);
    async function signOut(): Promise<void> {
        setBusy(true);
        try {
            await endSession();
            // A whole new page: nothing of what this person saw stays in memory.
            location.replace(SIGN_IN);
        } catch {
            announce(frame.signOutFailed);
            setBusy(false);
        }
    }
    return (
        <div class="person">
            <p>{caller.email ? <Email address={caller.email} /> : frame.companyToken}<br /><span class="quiet">{caller.companyName}</span></p>
            <Button busy={busy} onClick={signOut}>{frame.signOut}</Button>
        </div>
    );
}
