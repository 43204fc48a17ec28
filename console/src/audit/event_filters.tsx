import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {navigate} from "../app/router.tsx";
import {audit as strings} from "../strings.ts";
import {Button} from "../ui/button.tsx";
import {Field, TextField} from "../ui/field.tsx";
import {NO_FILTERS, queryOf, type AuditFilters} from "./filters.ts";

/** What is shown stands in the address bar, so that it can be sent to somebody. */
export function EventFilters({filters}: {filters: AuditFilters}): JSX.Element {
    const [typed, setTyped] = useState(filters);
    function submit(event: Event): void {
        event.preventDefault();
        navigate(`/audit${queryOf(typed)}`);
    }
    function clear(): void {
        setTyped(NO_FILTERS);
        navigate("/audit");
    }
    const day = (name: "since" | "until"): JSX.Element => (
        <Field label={strings[name]}>
            {control => <input type="date" {...control} value={typed[name]} onInput={event => setTyped({...typed, [name]: event.currentTarget.value})} />}
        </Field>
    );
    const text = (name: "action" | "memberId" | "objectId", label: string): JSX.Element =>
        <TextField label={label} value={typed[name]} onValue={value => setTyped({...typed, [name]: value})} autocomplete="off" />;
    return (
        <form class="row filters" role="search" onSubmit={submit}>
            {day("since")}
            {day("until")}
            {text("action", strings.action)}
            {text("memberId", strings.member)}
            {text("objectId", strings.object)}
            <Button type="submit">{strings.filter}</Button>
            <Button onClick={clear}>{strings.clear}</Button>
        </form>
    );
}
