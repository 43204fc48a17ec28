import type {ComponentChildren, JSX} from "preact";

/** A block that stands out; `alert` is read out at once. */
export function Note({tone = "calm", alert = false, children}: {
    tone?: "calm" | "warn" | "danger" | "good"; alert?: boolean; children: ComponentChildren;
}): JSX.Element {
    return <div class={`note ${tone}`} {...(alert && {role: "alert"})}>{children}</div>;
}
