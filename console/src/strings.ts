// All that the pages say, in English, by page. What the servers say in errors is theirs.

export const common = {
    product: "Latchkey",
    busy: "working",
    loading: "Loading",
    required: "(required)",
    tryAgain: "Try again",
    cancel: "Cancel",
    close: "Close",
    copy: "Copy",
    never: "Never",
    pages: "Pages",
    previousPage: "Previous page",
    nextPage: "Next page",
    pageNumber: (number: number) => `Page ${number}`,
    badLine: (line: number, text: string, why: string) => `Line ${line}, “${text}”: ${why}`,
};

export const frame = {
    documentTitle: (page: string) => `${page} · Latchkey`,
    skip: "Skip to the page",
    navigation: "Main",
    menu: "Menu",
    signOut: "Sign out",
    signedInAs: (who: string, company: string) => `${who}, ${company}`,
    companyToken: "Token of the company",
    groups: {profile: "Profile", company: "My company"},
    links: {
        tokens: "Access tokens",
        logins: "Recent authentications",
        explain: "Explain",
        security: "Security",
        users: "Users",
        policy: "Company policy",
        audit: "Audit",
    },
    notFound: "There is no such page",
    notFoundText: "The address may be mistyped, or what it led to is gone.",
    goHome: "To the access tokens",
};

export const errors: {
    titles: Record<string, string>; texts: Record<string, string>; unknownTitle: string; unknownText: string;
} = {
    titles: {
        invalid_argument: "Something is not right yet.",
        not_found: "It is not there.",
        already_exists: "It exists already.",
        permission_denied: "You may not do this.",
        failed_precondition: "It can't be done now.",
        aborted: "It was changed in the meantime.",
        resource_exhausted: "A limit is reached.",
        unauthenticated: "You are not signed in any more.",
        unavailable: "The server can't answer now.",
        deadline_exceeded: "It took too long.",
    },
    texts: {
        NETWORK: "No connection to the server. What you typed is still here: try again when it is back.",
        TIMEOUT: "No answer came in time. Trying again does nothing twice.",
        OUTCOME_UNKNOWN: "It may have been done. Trying again does nothing twice.",
        ETAG_STALE: "Somebody else has changed it since you opened it.",
        LAST_ADMINISTRATOR: "A company always keeps one administrator.",
    },
    unknownTitle: "It did not work.",
    unknownText: "Try again; if it stays so, tell your administrator.",
};

export const secrets = {
    label: "Secret",
    once: "This is the only time that you see it.",
    onceWhy: "Latchkey keeps only a digest. Put the secret where it will be used before you leave this page.",
    copied: "Copied.",
    notCopied: "The browser did not allow copying. The secret is selected when you enter its field.",
    copyAgain: "Copy again",
    saved: "I have saved it",
};
