import type {JSX} from "preact";
import {isOrIsIn, type RpcError} from "../rpc/rpc_error.ts";
import {common} from "../strings.ts";
import {Button} from "./button.tsx";
import {errorText} from "./error_text.ts";

interface ErrorBoxProps {
    error: RpcError;
    /** Fields that say themselves what is wrong with them. */
    ownFields?: readonly string[] | undefined;
    onRetry?: () => void;
}

/** What failed, in words; with *Try again* where there is something to try. */
export function ErrorBox({error, ownFields = [], onRetry}: ErrorBoxProps): JSX.Element {
    const {title, text} = errorText(error);
    const others = error.violations.filter(({field}) => !ownFields.some(own => isOrIsIn(field, own)));
    return (
        <div class="note danger" role="alert">
            <p><strong>{title}</strong> {text}</p>
            {others.length > 0 && (
                <ul>{others.map(({field, description}) => <li key={field}><code>{field}</code>: {description}</li>)}</ul>
            )}
            {onRetry && <Button onClick={onRetry}>{common.tryAgain}</Button>}
        </div>
    );
}
