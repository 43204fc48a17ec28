// Which page is at which path. The first pattern that fits is taken.

import type {ComponentType} from "preact";
import Audit from "../pages/audit.tsx";
import Company from "../pages/company.tsx";
import Draft from "../pages/draft.tsx";
import EditToken from "../pages/edit_token.tsx";
import Explain from "../pages/explain.tsx";
import Invitation from "../pages/invitation.tsx";
import Invite from "../pages/invite.tsx";
import Logins from "../pages/logins.tsx";
import Member from "../pages/member.tsx";
import NewRole from "../pages/new_role.tsx";
import NewToken from "../pages/new_token.tsx";
import Role from "../pages/role.tsx";
import Security from "../pages/security.tsx";
import SignIn from "../pages/sign_in.tsx";
import SignInLink from "../pages/sign_in_link.tsx";
import SomebodyElse from "../pages/somebody_else.tsx";
import Token from "../pages/token.tsx";
import Tokens from "../pages/tokens.tsx";
import Users from "../pages/users.tsx";
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
    {pattern: "/sign-in", page: SignIn, isOpen: true},
    {pattern: "/sign-in/link", page: SignInLink, isOpen: true},
    {pattern: "/somebody-else", page: SomebodyElse, isOpen: true},
    {pattern: "/tokens", page: Tokens},
    {pattern: "/tokens/new", page: NewToken},
    {pattern: "/tokens/:id", page: Token},
    {pattern: "/tokens/:id/edit", page: EditToken},
    {pattern: "/logins", page: Logins},
    {pattern: "/explain", page: Explain},

    {pattern: "/security", page: Security},
    {pattern: "/security/draft/:id", page: Draft},
    {pattern: "/users", page: Users},
    {pattern: "/users/invite", page: Invite},
    {pattern: "/users/:id", page: Member},
    {pattern: "/users/roles/new", page: NewRole},
    {pattern: "/users/roles/:id", page: Role},
    {pattern: "/company", page: Company},
    {pattern: "/audit", page: Audit},
    {pattern: "/invitation", page: Invitation, isOpen: true},
];

export function findRoute(path: string): {route: Route; parts: Record<string, string>} | null {
    for (const route of ROUTES) {
        const parts = matchPath(route.pattern, path);
        if (parts) return {route, parts};
    }
    return null;
}
