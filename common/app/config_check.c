#include "common/app/config_check.h"

#include <stdio.h>

#include "common/app/client_address.h"
#include "common/app/exit_status.h"
#include "common/app/mailer.h"
#include "common/app/tls_material.h"
#include "common/app/tls_settings.h"

enum { SENTENCE_MAX = 1024 };

enum status config_check_services(const struct app_program *program, const struct app_settings *settings,
                                  struct sentences mistakes) {
    enum status gravest = STATUS_OK;
    for (size_t i = 0; i < program->service_count; i++) {
        char sentence[SENTENCE_MAX] = "out of memory";
        const struct app_service *service = program->services[i];
        enum status status =
            service->check ? service->check(settings, sentence, sizeof(sentence)) : STATUS_OK;
        if (status != STATUS_OK)
            sentences_add(mistakes, "%s", sentence);
        gravest = status_get_graver(gravest, status);
    }
    return gravest;
}

static void check_trusted_proxies(const char *text, struct sentences mistakes) {
    char sentence[SENTENCE_MAX];
    struct ip_set *set = NULL;
    if (client_address_parse_trusted(text, &set, sentence, sizeof(sentence)) != STATUS_OK)
        sentences_add(mistakes, "%s", sentence);
    ip_set_free(set);
}

static void check_tls(const struct clock *clock, struct sentences mistakes) {
    char sentence[SENTENCE_MAX];
    if (!tls_settings.key) // the lack of it has been told
        return;
    if (tls_material_open(clock, sentence, sizeof(sentence)) != STATUS_OK)
        sentences_add(mistakes, "%s", sentence);
    tls_material_close();
}

static void check_mail(const struct app_program *program, struct sentences mistakes) {
    char sentence[SENTENCE_MAX];
    if (!mailer_is_needed(program))
        return;
    if (mailer_open(program, sentence, sizeof(sentence)) != STATUS_OK)
        sentences_add(mistakes, "%s", sentence);
    mailer_close();
}

int config_check(const struct app_program *program, const struct app_settings *settings,
                 const struct clock *clock, struct sentences mistakes) {
    check_trusted_proxies(settings->trusted_proxies, mistakes);
    check_tls(clock, mistakes);
    check_mail(program, mistakes);
    (void)!config_check_services(program, settings, mistakes);
    if (!sentences_is_empty(mistakes))
        return exit_status_explain(EXIT_STATUS_CONFIG, mistakes.text);
    printf("%s: the configuration is good\n", program->name);
    return EXIT_STATUS_OK;
}
