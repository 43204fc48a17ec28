// An entry as the form has it, and back into an update that names only what was typed.

import type {UpdateWhitelistEntryRequest, WhitelistEntry} from "../../gen/api.ts";
import {changedFields} from "../form/merge.ts";

export interface EntryForm extends Record<string, unknown> {
    address: string;
    checkingBits: string;
    note: string;
    owner: string;
    disabled: boolean;
    /** As `<input type=datetime-local>` has it, in the viewer's zone; blank: never. */
    expiresAt: string;
}

const two = (value: number): string => String(value).padStart(2, "0");

export function localInput(time: string | undefined): string {
    const date = new Date(time ?? "");
    if (Number.isNaN(date.getTime())) return "";
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const formOf = ({address = "", checkingBits = 0, note = "", owner = "", disabled = false, expiresAt}: WhitelistEntry): EntryForm =>
    ({address, checkingBits: String(checkingBits), note, owner, disabled, expiresAt: localInput(expiresAt)});

/** Undefined: nothing was changed. A new address whose bits were not typed brings its own. */
export function updateOf({entryId = "", etag = ""}: WhitelistEntry, base: EntryForm, form: EntryForm): UpdateWhitelistEntryRequest | undefined {
    const mask = changedFields(base, form);
    if (mask.length === 0) return undefined;
    const {address, note, owner, disabled} = form;
    return {
        entry: {
            entryId, etag, disabled, address: address.trim(), note: note.trim(), owner: owner.trim(),
            ...(mask.includes("checkingBits") ? {checkingBits: Number(form.checkingBits)} : {}),
            ...(form.expiresAt === "" ? {} : {expiresAt: new Date(form.expiresAt).toISOString()}),
        },
        updateMask: mask.join(","),
    };
}

export const areBits = (text: string): boolean => /^\d{1,3}$/.test(text.trim()) && Number(text) <= 128;
