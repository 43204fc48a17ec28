/** Whether what was typed says the label; how many spaces, which a page does not show, is no matter. */
export function confirms(typed: string, label: string): boolean {
    const shown = (text: string): string => text.trim().replace(/\s+/g, " ").normalize();
    return shown(typed) === shown(label);
}
