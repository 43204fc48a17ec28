// Whether what a page has in memory may stay there when the session is over: what was typed into a form, whatever it is about, may; a
// secret may not.

import {useEffect, useState} from "preact/hooks";

const forms = new Set<object>();
const secrets = new Set<object>();

export const isWorthKeeping = (): boolean => forms.size > 0 && secrets.size === 0;

/** What a form calls when something is typed into it; it counts until the form is gone. */
export function useTyped(): () => void {
    const [form] = useState<object>({});
    useEffect(() => () => { forms.delete(form); }, []);
    return () => { forms.add(form); };
}

/** A secret is shown. */
export function useSecretShown(): void {
    useEffect(() => {
        const secret = {};
        secrets.add(secret);
        return () => { secrets.delete(secret); };
    }, []);
}
