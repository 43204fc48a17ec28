#include "services/cli/doctor.h"

#include <stdarg.h>

#include "services/cli/json_print.h"
#include "services/cli/terminal.h"

enum { VERDICT_COLUMN = 5, THING_COLUMN = 12 };

static const char *const verdicts[] = {[VERDICT_OK] = "ok", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "fail"};

void doctor_init(struct doctor *doctor, struct cli *cli) {
    *doctor = (struct doctor){.cli = cli};
    if (cli->is_json)
        doctor->findings = cli_need(json_array());
}

static void print(struct doctor *doctor, enum verdict verdict, const char *thing, const char *text,
                  const char *advice) {
    FILE *to = doctor->cli->out;
    fprintf(to, "%-*s  %-*s  %s\n", VERDICT_COLUMN, verdicts[verdict], THING_COLUMN, thing,
            terminal_clean(&doctor->cli->arena, text));
    if (advice)
        fprintf(to, "%*s  %*s  -> %s\n", VERDICT_COLUMN, "", THING_COLUMN, "", advice);
}

void doctor_tell(struct doctor *doctor, enum verdict verdict, const char *thing, const char *advice,
                 const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *text = cli_need(arena_format_args(&doctor->cli->arena, format, values));
    va_end(values);
    doctor->counts[verdict]++;
    if (!doctor->findings)
        print(doctor, verdict, thing, text, advice);
    else if (json_array_append_new(doctor->findings, json_pack("{s:s, s:s, s:s, s:s}", "thing", thing,
                                                               "verdict", verdicts[verdict], "text", text,
                                                               "advice", advice ? advice : "")) != 0)
        cli_must(STATUS_NO_MEMORY);
}

enum exit_code doctor_end(struct doctor *doctor) {
    const unsigned *counts = doctor->counts;
    if (doctor->findings)
        json_print(json_pack("{s:o, s:i, s:i, s:i}", "findings", doctor->findings, "ok",
                             (int)counts[VERDICT_OK], "warn", (int)counts[VERDICT_WARN], "fail",
                             (int)counts[VERDICT_FAIL]),
                   doctor->cli->out);
    else
        fprintf(doctor->cli->out, "%u ok, %u warn, %u fail\n", counts[VERDICT_OK], counts[VERDICT_WARN],
                counts[VERDICT_FAIL]);
    return counts[VERDICT_FAIL] > 0 ? EXIT_CODE_NO : EXIT_CODE_DONE;
}
