import type {AuditActor} from "../../gen/api.ts";
import {audit as strings} from "../strings.ts";

/** Who did it, by the best name there is. */
export function actorText({email, memberId, tokenId, system, operatorCompanyId}: AuditActor): string {
    const who = email || memberId || tokenId || (system ? strings.system(system) : strings.nobody);
    return operatorCompanyId ? `${who} (${strings.operator})` : who;
}
