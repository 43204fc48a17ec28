#include "services/cli/recover_text.h"

#include <inttypes.h>
#include <jansson.h>

#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/base/typeid.h"
#include "services/cli/json_print.h"
#include "services/cli/table.h"

#define CHANGES_SHOWN 1000

static const char *const remedy_names[] = {
    [LOST_REDO] = "redo", [LOST_JUDGE] = "judge", [LOST_MISSING] = "missing"};

static const char *get_comparison(const struct loss_report *report) {
    return report->is_compared ? "yes" : *report->failure ? report->failure : "not yet";
}

static const char *format_company(struct cli *cli, const struct lost_change *change) {
    if (uuid_is_zero(change->company_id))
        return "";
    return cli_format(cli, "%s", typeid_of(TYPEID_COMPANY, change->company_id).text);
}

// ---- for programs ----

static json_t *reports_to_json(const struct loss *loss) {
    json_t *list = json_array();
    for (size_t i = 0; i < loss->report_count; i++) {
        const struct loss_report *report = &loss->reports[i];
        char at[TIME_TEXT_MAX + 1];
        time_text_format(report->reported_at_ms, at);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:s}", "validator", report->validator, "reported_at",
                                        at, "compared", report->is_compared, "failure", report->failure));
    }
    return list;
}

static json_t *lanes_to_json(const struct loss *loss) {
    json_t *list = json_array();
    for (size_t i = 0; i < loss->lane_count; i++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "lane", (json_int_t)loss->lanes[i].lane,
                                              "known", (json_int_t)loss->lanes[i].known_seq, "head",
                                              (json_int_t)loss->lanes[i].head_seq));
    return list;
}

static json_t *changes_to_json(struct cli *cli, const struct loss *loss) {
    json_t *list = json_array();
    for (size_t i = 0; i < loss->change_count; i++) {
        const struct lost_change *change = &loss->changes[i];
        json_t *json =
            json_pack("{s:s, s:s, s:s, s:s}", "what", change->what, "remedy", remedy_names[change->remedy],
                      "company_id", format_company(cli, change), "object_id", change->object_id);
        char until[TIME_TEXT_MAX + 1];
        time_text_format(change->until_ms, until);
        if (change->until_ms != CLOCK_NEVER_MS)
            json_object_set_new(json, "until", json_string(until));
        json_array_append_new(list, json);
    }
    return list;
}

static void print_json(struct cli *cli, const struct loss *loss, int64_t redone_count) {
    json_print(json_pack("{s:I, s:b, s:I, s:o, s:o, s:o}", "timeline", (json_int_t)loss->timeline,
                         "timeline_accepted", loss->is_timeline_accepted, "redone", (json_int_t)redone_count,
                         "reports", reports_to_json(loss), "lanes", lanes_to_json(loss), "changes",
                         changes_to_json(cli, loss)),
               stdout);
}

// ---- for people ----

static void print_reports(struct cli *cli, const struct loss *loss) {
    static const char *const headings[] = {"VALIDATOR", "REPORTED", "COMPARED"};
    struct table table;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    for (size_t i = 0; i < loss->report_count; i++) {
        char at[TIME_TEXT_MINUTE_MAX + 1];
        time_text_format_minute(loss->reports[i].reported_at_ms, at);
        table_add(&table, (const char *const[]){loss->reports[i].validator, cli_format(cli, "%s", at),
                                                get_comparison(&loss->reports[i])});
    }
    table_print(&table, TABLE_UNCUT, cli->out);
}

static void print_lanes(struct cli *cli, const struct loss *loss) {
    static const char *const headings[] = {"LANE", "KNOWN UP TO", "DATABASE HAD"};
    struct table table;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    for (size_t i = 0; i < loss->lane_count; i++)
        table_add(&table, (const char *const[]){cli_format(cli, "%" PRId64, loss->lanes[i].lane),
                                                cli_format(cli, "%" PRId64, loss->lanes[i].known_seq),
                                                cli_format(cli, "%" PRId64, loss->lanes[i].head_seq)});
    fputc('\n', cli->out);
    table_print(&table, TABLE_UNCUT, cli->out);
}

static void print_changes(struct cli *cli, const struct loss *loss) {
    static const char *const headings[] = {"LOST", "COMPANY", "OBJECT", "UNTIL", "REMEDY"};
    struct table table;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    for (size_t i = 0; i < loss->change_count && i < CHANGES_SHOWN; i++) {
        const struct lost_change *change = &loss->changes[i];
        char until[TIME_TEXT_MINUTE_MAX + 1] = "";
        if (change->until_ms != CLOCK_NEVER_MS)
            time_text_format_minute(change->until_ms, until);
        table_add(&table, (const char *const[]){change->what, format_company(cli, change), change->object_id,
                                                cli_format(cli, "%s", until), remedy_names[change->remedy]});
    }
    fputc('\n', cli->out);
    table_print(&table, TABLE_UNCUT, cli->out);
    if (loss->change_count > CHANGES_SHOWN)
        fprintf(cli->out, "... of %zu; --json shows all\n", loss->change_count);
}

static size_t count(const struct loss *loss, enum lost_remedy remedy) {
    size_t count = 0;
    for (size_t i = 0; i < loss->change_count; i++)
        count += loss->changes[i].remedy == remedy;
    return count;
}

static void print_what_to_do(struct cli *cli, const struct loss *loss) {
    fprintf(cli->out,
            "\nNo validator admits anybody until this is settled.\n"
            "  %zu ended somebody's access: latchkey recover --redo does that again\n"
            "  %zu differ, and only you know which is right: put them right, then --accept-loss\n"
            "  %zu were made and are gone: nobody is admitted by them\n",
            count(loss, LOST_REDO), count(loss, LOST_JUDGE), count(loss, LOST_MISSING));
}

static void print_timeline(struct cli *cli, const struct loss *loss) {
    if (loss->is_timeline_accepted)
        fprintf(cli->out, "nothing is missing that a validator knows of\n");
    else
        fprintf(
            cli->out,
            "no validator has reported anything missing, and none has found its changes on the database's\n"
            "timeline %" PRId64
            " either. If none that served before is alive, make sure by other means, then\n"
            "latchkey recover --accept-loss\n",
            loss->timeline);
}

static void print(struct cli *cli, const struct loss *loss, int64_t redone_count) {
    if (redone_count > 0)
        fprintf(cli->out, "%" PRId64 " done again\n", redone_count);
    if (loss->report_count == 0) {
        print_timeline(cli, loss);
        return;
    }
    print_reports(cli, loss);
    if (loss->lane_count > 0)
        print_lanes(cli, loss);
    if (loss->change_count > 0)
        print_changes(cli, loss);
    print_what_to_do(cli, loss);
}

void recover_text_print(struct cli *cli, const struct loss *loss, int64_t redone_count) {
    if (cli->is_json)
        print_json(cli, loss, redone_count);
    else
        print(cli, loss, redone_count);
}
