// --check-config: everything that settings, and the files that they name, would keep a server from starting
// for, all at once. Opens no port and asks no database.
#ifndef LATCHKEY_COMMON_APP_CONFIG_CHECK_H
#define LATCHKEY_COMMON_APP_CONFIG_CHECK_H

#include "common/app/app.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/sentences.h"

// What no single setting can say of the services': a sentence for each that is wrong. INVALID, or what else
// a file that can't be read now has come to, where nothing worse is amiss.
MUST_CHECK enum status config_check_services(const struct app_program *program,
                                             const struct app_settings *settings, struct sentences mistakes);

// When the settings have been read, right or wrong: adds to `mistakes` what is wrong with what they name,
// says them, or that there is none, and returns the exit status.
MUST_CHECK int config_check(const struct app_program *program, const struct app_settings *settings,
                            const struct clock *clock, struct sentences mistakes);

#endif
