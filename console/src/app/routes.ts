// Which page is at which path. The first pattern that fits is taken.

import type {ComponentType} from "preact";
import Tokens from "../pages/tokens.tsx";
import {matchPath} from "./path.ts";

export interface PageProps {
    /** What the pattern names: `/tokens/:id`. */
    parts: Record<string, string>;
    query: URLSearchParams;
}

interface Route {
    pattern: string;
    page: ComponentType<PageProps>;
    /** For everybody, and without the navigation of who is signed in. */
    isOpen?: boolean;
}

const ROUTES: readonly Route[] = [
    {pattern: "/tokens", page: Tokens},
];

export function findRoute(path: string): {route: Route; parts: Record<string, string>} | null {
    for (const route of ROUTES) {
        const parts = matchPath(route.pattern, path);
        if (parts) return {route, parts};
    }
    return null;
}
