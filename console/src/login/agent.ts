// What a User-Agent says, short: browser and system, for people to tell their own sessions apart. Nothing is decided by it.

import {logins} from "../strings.ts";

const BROWSERS: readonly (readonly [RegExp, string])[] = [
    [/\bEdg(?:A|iOS)?\/(\d+)/, "Edge"],
    [/\bOPR\/(\d+)/, "Opera"],
    [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
    [/\b(?:Headless)?(?:Chrome|CriOS)\/(\d+)/, "Chrome"],
    [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
    [/\bAndroid\b/, "Android"], [/\b(?:iPhone|iPad)\b/, "iOS"], [/\bWindows\b/, "Windows"], [/\bMac OS X\b/, "macOS"], [/\bLinux\b/, "Linux"],
];
const SHORT = 60;

export function agentName(agent: string): string {
    if (agent === "") return logins.unknownAgent;
    for (const [pattern, name] of BROWSERS) {
        const version = pattern.exec(agent)?.[1];
        const system = SYSTEMS.find(([is]) => is.test(agent))?.[1];
        if (version) return [`${name} ${version}`, system].filter(Boolean).join(", ");
    }
    return agent.length > SHORT ? `${agent.slice(0, SHORT)}…` : agent;
}
