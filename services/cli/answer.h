// An answer for people and for programs: its fields as text, and the parts that many commands print.
#ifndef LATCHKEY_SERVICES_CLI_ANSWER_H
#define LATCHKEY_SERVICES_CLI_ANSWER_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "services/cli/calls.h"
#include "services/cli/cli.h"
#include "services/cli/table.h"

// Texts in the arena, for tables; not cleaned for the terminal yet, which table_add() does.

// "2027-01-31T18:00:00Z", to the second; `unset` where the field is.
const char *answer_get_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *unset);

// The same to the millisecond, for programs.
const char *answer_get_exact_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                                  const char *unset);

// TOKEN_STATE_ACTIVE as "active", with `prefix` "TOKEN_STATE_"; "" for UNSPECIFIED.
const char *answer_get_word(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *prefix);
// The way back: "active" as TOKEN_STATE_ACTIVE.
const char *answer_to_enum_name(struct cli *cli, const char *prefix, const char *word);

// A list of texts or enums, "charges.create, charges.read"; `empty` where it is empty.
const char *answer_get_list(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *empty);
const char *answer_get_words(struct cli *cli, const ProtobufCMessage *message, const char *field,
                             const char *prefix);

// "one, two".
const char *answer_join(struct cli *cli, const char *const *words, size_t count);

// The whole message, as --json prints it; ends the program when memory runs out.
json_t *answer_to_json(struct cli *cli, const ProtobufCMessage *message);
void answer_print_json(struct cli *cli, const ProtobufCMessage *message);

// Whether the change is known everywhere, if the request waited for it: EXIT_CODE_NO if not in time.
enum exit_code answer_get_code(const ProtobufCMessage *response);

// "; confirmed by 2 of 2 validators in 12 ms", or what else to say about the validators, as the rest of a
// sentence.
const char *answer_describe_validators(struct cli *cli, const ProtobufCMessage *response);

// The same as a line of its own, where the request waited; else nothing.
void answer_print_validators(struct cli *cli, const ProtobufCMessage *response);

// Makes the call and prints its answer, by `print` or as JSON. The code of the run.
typedef void answer_printer(struct cli *cli, const ProtobufCMessage *response);
MUST_CHECK enum exit_code answer_call(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request,
                                      answer_printer *print);
// The same where nobody needs a token.
MUST_CHECK enum exit_code answer_call_as_anybody(struct cli *cli, enum rpc_id id,
                                                 const ProtobufCMessage *request, answer_printer *print);

// "1 entry", "2 entries".
const char *answer_count(struct cli *cli, uint64_t count, const char *one, const char *many);

// "2h 30m"; `zero` where the duration is unset or 0.
const char *answer_get_span(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *zero);

// Pages of a list as one: cells of a table from each item, or with --json one object with all items.
struct answer_list {
    struct cli *cli;
    const char *items; // the repeated field
    void (*add)(struct answer_list *list, const ProtobufCMessage *item);
    const void *context; // for add()
    struct table *table;
    json_t *json; // NULL without --json
    size_t count;
    int64_t limit; // that answer_list_fetch() kept to; 0 = it was not called
};
void answer_list_init(struct answer_list *list, struct cli *cli, const char *items, struct table *table,
                      void (*add)(struct answer_list *list, const ProtobufCMessage *item));
size_t answer_list_on_page(void *context, const ProtobufCMessage *page); // a calls_on_page

// Asks for all pages, or for the first --limit items; on a terminal for a thousand, where nothing else is
// typed.
MUST_CHECK enum exit_code answer_list_fetch(struct answer_list *list, enum rpc_id id,
                                            ProtobufCMessage *request);

// Prints JSON, or the table and, where it is empty, `empty` in place of it.
void answer_list_print(struct answer_list *list, const char *empty);
void answer_list_fini(struct answer_list *list);

// How a list is shown.
struct answer_listing {
    const char *items; // the repeated field
    const char *const *headings;
    size_t column_count;
    void (*add)(struct answer_list *list, const ProtobufCMessage *item);
    const char *empty;   // a sentence
    const void *context; // for add(); NULL = none
};

// answer_list_fetch(), and prints them.
MUST_CHECK enum exit_code answer_call_list(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                           const struct answer_listing *listing);

#endif
