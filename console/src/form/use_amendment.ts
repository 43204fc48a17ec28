// Changing an object of the server's by a form: sends only what was typed, keeps it when that fails, and where somebody else was faster
// loads the object anew under it.

import {useState} from "preact/hooks";
import type {RpcError} from "../rpc/rpc_error.ts";
import type {Change} from "../rpc/use_change.ts";
import {asRpcError} from "../rpc/use_load.ts";
import {useUnsaved} from "../ui/use_unsaved.ts";
import type {Clash} from "./merge.ts";
import {useEdited} from "./use_edited.ts";

interface Amendable<O, F, Request> {
    /** As it was loaded; later ones are not looked at. */
    object: O;
    formOf: (object: O) => F;
    /** Undefined: nothing was changed. */
    updateOf: (object: O, base: F, form: F) => Request | undefined;
    update: Pick<Change<never, unknown>, "busy" | "error" | "reset">;
    /** Undefined: it failed. */
    send: (request: Request, force: boolean) => Promise<O | undefined>;
    /** The object as it is now. */
    load: () => Promise<O | undefined>;
    onSaved: (object: O) => void;
}

export interface Amendment<F> {
    form: F;
    set: (fields: Partial<F>) => void;
    busy: boolean;
    /** Of saving, or of loading anew. */
    error: RpcError | undefined;
    clashes: Clash<F>[] | undefined;
    save: (force?: boolean) => Promise<void>;
    loadAnew: () => Promise<void>;
}

export function useAmendment<O, F extends Record<string, unknown>, Request>(
    {object: loaded, formOf, updateOf, update, send, load, onSaved}: Amendable<O, F, Request>,
): Amendment<F> {
    const [object, setObject] = useState(loaded);
    const [loadError, setLoadError] = useState<RpcError | undefined>(undefined);
    const edited = useEdited<F>(formOf(loaded));
    const request = updateOf(object, edited.base, edited.form);
    useUnsaved(request !== undefined);

    async function save(force = false): Promise<void> {
        const saved = request ? await send(request, force) : object;
        if (!saved) return;
        setObject(saved);
        edited.settle(formOf(saved));
        onSaved(saved);
    }
    async function loadAnew(): Promise<void> {
        setLoadError(undefined);
        try {
            const now = await load();
            if (!now) return;
            setObject(now);
            edited.rebase(formOf(now));
            update.reset();
        } catch (failure) {
            setLoadError(asRpcError(failure));
        }
    }
    return {form: edited.form, set: edited.set, busy: update.busy, error: loadError ?? update.error, clashes: edited.clashes, save, loadAnew};
}
