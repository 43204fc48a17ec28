// Chooses between the open pages, the door, and the shell of who is signed in.

import type {JSX} from "preact";
import {useEffect} from "preact/hooks";
import {Announcements} from "../ui/announce.tsx";
import {Brand} from "./brand.tsx";
import {NotFound} from "./not_found.tsx";
import {navigate, useLocation} from "./router.tsx";
import {findRoute} from "./routes.ts";
import {Shell} from "./shell.tsx";

const HOME = "/tokens";

export function App(): JSX.Element {
    const {path, query} = useLocation();
    useEffect(() => { if (path === "/") navigate(HOME, {replace: true}); }, [path]);
    const found = findRoute(path);
    const page = found ? <found.route.page key={path} parts={found.parts} query={query} /> : <NotFound />;
    return (
        <>
            {found?.route.isOpen ? <main class="door"><Brand />{page}</main> : <Shell path={path}>{path === "/" ? null : page}</Shell>}
            <Announcements />
        </>
    );
}
