// Whitelist entries as text for people.
#ifndef LATCHKEY_SERVICES_CLI_WHITELIST_TEXT_H
#define LATCHKEY_SERVICES_CLI_WHITELIST_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "services/cli/answer.h"
#include "services/cli/cli.h"

// "the whitelist is on, for every token; entries: 3", and until when it has to be confirmed.
const char *whitelist_text_describe(struct cli *cli, const ProtobufCMessage *whitelist);

// Every property of an entry that is set.
void whitelist_text_print_entry(struct cli *cli, const ProtobufCMessage *entry);

// A table of entries, and its row for one: an `add` of answer_list_init().
void whitelist_text_init_table(struct cli *cli, struct table *table);
void whitelist_text_add_entry(struct answer_list *list, const ProtobufCMessage *entry);

// `203.0.113.0/24 (ent_..., "office")`, clean for a terminal.
const char *whitelist_text_get_entry(struct cli *cli, const ProtobufCMessage *entry);

// The end of a sentence about an address that a list does not hold, from an answer of CheckIp: the nearest
// entry and why it does not hold it.
const char *whitelist_text_get_nearest(struct cli *cli, const ProtobufCMessage *check);

#endif
