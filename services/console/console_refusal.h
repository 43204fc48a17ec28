// Refusals of the console's own, as Connect writes errors, with a reason that its pages know.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_REFUSAL_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_REFUSAL_H

#include "common/app/http_route.h"

struct console_refusal {
    unsigned status;
    const char *code;   // gRPC's, in lower case
    const char *reason; // ErrorInfo's; static storage, as long as what protobuf counts in one byte
    const char *text;   // one sentence, without quotes
};

extern const struct console_refusal console_refusal_malformed, console_refusal_link_broken,
    console_refusal_other_browser, console_refusal_too_many, console_refusal_unavailable,
    console_refusal_other_caller, console_refusal_caller_missing, console_refusal_way_off,
    console_refusal_too_many_tries, console_refusal_provider_unavailable;

void console_refuse(const struct http_request *request, const struct console_refusal *refusal,
                    struct http_answer *answer);

// For not coming from a listed address: COMPANY_IP_NOT_LISTED or MEMBER_IP_NOT_LISTED. With the address that
// was seen, and nothing of what the list holds, which the contract's error would tell.
void console_refuse_address(const struct http_request *request, const char *reason,
                            struct http_answer *answer);

#endif
