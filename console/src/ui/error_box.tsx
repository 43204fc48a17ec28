import type {JSX} from "preact";
import type {RpcError} from "../rpc/rpc_error.ts";
import {common} from "../strings.ts";
import {Button} from "./button.tsx";
import {errorText} from "./error_text.ts";

/** What failed, in words; with *Try again* where there is something to try. */
export function ErrorBox({error, onRetry}: {error: RpcError; onRetry?: () => void}): JSX.Element {
    const {title, text} = errorText(error);
    return (
        <div class="note danger" role="alert">
            <p><strong>{title}</strong> {text}</p>
            {error.violations.length > 0 && (
                <ul>{error.violations.map(({field, description}) => <li key={field}><code>{field}</code>: {description}</li>)}</ul>
            )}
            {onRetry && <Button onClick={onRetry}>{common.tryAgain}</Button>}
        </div>
    );
}
