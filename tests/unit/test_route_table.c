// What requests need by method and path: the file, the line that decides, and the paths that none may.
#include <stdio.h>

#include "common/access/decision.h"
#include "services/validator/gateway/route_table.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static char error[512];

static struct route_table *parse(const char *text) {
    struct route_table *table = NULL;
    if (route_table_parse(bytes_of_text(text), "file", &table, error, sizeof(error)) != STATUS_OK)
        fail_msg("%s", error);
    return table;
}

// The route as one word: its first permission, or its access, or why there is none.
static const char *find(const struct route_table *table, const char *method, const char *target) {
    static const char *const none[] = {[ROUTE_NONE] = "none",
                                       [ROUTE_NO_METHOD] = "no method",
                                       [ROUTE_AMBIGUOUS] = "ambiguous",
                                       [ROUTE_NO_MEMORY] = "no memory"};
    static const char *const accesses[] = {
        [ROUTE_DENY] = "deny", [ROUTE_PUBLIC] = "public", [ROUTE_TOKEN] = "token"};
    static char word[128];
    const struct route *route;
    struct arena arena;
    arena_init(&arena, 0);
    enum route_match match =
        route_table_find(table, bytes_of_text(method), bytes_of_text(target), &arena, &route);
    arena_fini(&arena);
    if (match != ROUTE_FOUND)
        return none[match];
    if (route->permission_count == 0)
        return accesses[route->access];
    snprintf(word, sizeof(word), "%.*s", BYTES_FORMAT(route->permissions[0]));
    return word;
}

static const char routes[] = "# comment\r\n"
                             "\n"
                             "GET        /charges            charges.read\r\n"
                             "POST       /charges            charges.create\n"
                             "GET        /charges/*          charges.one\n"
                             "GET        /charges/new        charges.new\n"
                             "GET        /charges/new.csv    charges.csv\n"
                             "*          /charges/*/refunds  refunds.any\n"
                             "POST       /charges/*/refunds  refunds.create\n"
                             "GET,PUT    /console/**         token channel=ui\n"
                             "GET        /console/a/b        deny\n"
                             "*          /console/*/b        console.b\n"
                             "GET        /                   public\n"
                             "GET        /v1/things:cancel   things.cancel\n"
                             "*          /v1/**              things.any\n"
                             "GET        /caf%C3%A9/a%20b    cafe.read\n"
                             "GET        /book               book.read\n";

static void the_most_exact_path_decides_and_then_the_method(void **state) {
    (void)state;
    static const struct {
        const char *method, *target, *expected;
    } cases[] = {
        {"GET", "/charges", "charges.read"},
        {"POST", "/charges", "charges.create"},
        {"HEAD", "/charges", "charges.read"},
        {"DELETE", "/charges", "no method"},
        {"get", "/charges", "no method"},
        {"post", "/charges/7/refunds", "no method"}, // which some servers take for POST: not by "*"
        {"P0ST", "/charges/7/refunds", "no method"},
        {"", "/charges", "no method"},
        {"GET", "/charges?id=1/../2;3", "charges.read"},
        {"GET", "/charges/", "charges.read"},
        {"GET", "/charges/7", "charges.one"},
        {"POST", "/charges/7", "no method"},
        {"GET", "/charges/new", "charges.new"},
        {"GET", "/charges/new.csv", "charges.csv"},
        {"GET", "/charges/newer.json", "charges.one"},
        {"GET", "/charges/7.json", "charges.one"},
        {"GET", "/charges/n%C3%A8w", "charges.one"},
        {"GET", "/charges/%E6%96%B0%E6%96%B0%E6%96%B0", "charges.one"},
        {"GET", "/charges/new%C3%A9", "charges.one"},
        {"GET", "/charges/new/refunds", "refunds.any"}, // back from "new", which ends there
        {"POST", "/charges/7/refunds/", "refunds.create"},
        {"HEAD", "/charges/7/refunds", "refunds.any"},
        {"GET", "/charges/7/refunds/1", "none"},
        {"GET", "/console", "token"},
        {"PUT", "/console/x/y/z", "token"},
        {"POST", "/console/x", "no method"},
        {"GET", "/console/a/b", "deny"},
        {"GET", "/console/x/b", "console.b"},
        {"PUT", "/console/a/b", "no method"}, // of the line that is more exact
        {"GET", "/", "public"},
        {"GET", "/?", "public"},
        {"POST", "/", "no method"},
        {"GET", "/elsewhere", "none"},
        {"GET", "/v1/things:cancel", "things.cancel"},
        {"GET", "/v1/other:cancel", "things.any"},
        {"GET", "/v1/other%3Acancel", "things.any"},
        {"GET", "/v1/joe%40example.com", "things.any"},
        {"GET", "/v1/*", "things.any"},
        {"GET", "/caf%c3%a9/a%20b", "cafe.read"},
        {"GET", "/v1/a.b..c/~x/(1)!$&'+,=@|[]^", "things.any"},
    };
    struct route_table *table = parse(routes);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (strcmp(find(table, cases[i].method, cases[i].target), cases[i].expected) != 0)
            fail_msg("%s %s: %s", cases[i].method, cases[i].target,
                     find(table, cases[i].method, cases[i].target));
    route_table_release(table);
}

static void a_path_that_may_be_another_one_is_refused(void **state) {
    (void)state;
    static const char *const targets[] = {
        "",
        "*",
        "charges",
        "http://host/charges",
        "//charges",
        "/charges//",
        "/charges//7",
        "/v1/./x",
        "/v1/../charges",
        "/v1/..",
        "/v1/%2e%2e/charges",
        "/v1/.%2E",
        "/v1/%2e",
        "/v1/a%2fb",
        "/v1/a%5Cb",
        "/v1/a\\b",
        "/v1/a;b",
        "/v1/a%3bb",
        "/v1/a%3Fb",
        "/v1/a#b",
        "/v1/a%23b",
        "/v1/a%25b",
        "/v1/%252e%252e/charges",
        "/v1/a%00",
        "/v1/a%0ab",
        "/v1/a%7f",
        "/v1/a b",
        "/v1/a\tb",
        "/v1/caf\xc3\xa9",
        "/v1/%c0%af",
        "/v1/%ff",
        "/v1/%",
        "/v1/%4",
        "/v1/%g1",
        "/Charges",
        "/CHARGES/7",
        "/%63harges",
        "/charges/%6eew",
        "/charges/NEW",
        "/v1/things%3Acancel",
        "/v1/Things:cancel",
        "/charges/new.json",
        "/charges/NEW.json/",
        "/charges/new.",
        "/charges/new%20",
        "/charges.json",
        "/v1/things:cancel.json",
        "/CAF%C3%89/a%20b", // case beyond ASCII
        "/caf%C3%89.json",
        "/v1/thing%C5%BF:cancel", // the long s, whose capital is S
        "/v1/th%C4%B1ngs:cancel", // i without a dot, whose capital is I
        "/v1/th%C4%B0ngs:cancel", // I with a dot, whose small letter is i
        "/boo%E2%84%AA",          // the sign of Kelvin, whose small letter is k
    };
    struct route_table *table = parse(routes);
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++)
        if (strcmp(find(table, "GET", targets[i]), "ambiguous") != 0)
            fail_msg("%s: %s", targets[i], find(table, "GET", targets[i]));
    char deep[2 * 65 + 1];
    for (size_t i = 0; i < 65; i++)
        memcpy(deep + 2 * i, "/x", 2);
    deep[2 * 65] = '\0';
    assert_string_equal(find(table, "GET", deep), "ambiguous");
    deep[2 * 64] = '\0';
    assert_string_equal(find(table, "GET", deep), "none");
    route_table_release(table);
}

static void a_line_says_everything_that_is_needed(void **state) {
    (void)state;
    struct route_table *table = parse("* /a channel=ui charges.read token charges.create\n* /b token\n"
                                      "* /c channel=api token");
    struct arena arena;
    const struct route *route;
    arena_init(&arena, 0);
    assert_int_equal(route_table_find(table, BYTES_LITERAL("X"), BYTES_LITERAL("/a"), &arena, &route),
                     ROUTE_FOUND);
    assert_int_equal(route->access, ROUTE_TOKEN);
    assert_int_equal(route->channel, CHANNEL_UI);
    assert_int_equal(route->permission_count, 2);
    assert_true(bytes_is_text(route->permissions[1], "charges.create"));
    assert_int_equal(route_table_find(table, BYTES_LITERAL("X"), BYTES_LITERAL("/b"), &arena, &route),
                     ROUTE_FOUND);
    assert_int_equal(route->channel, 0);
    assert_int_equal(route->permission_count, 0);
    assert_int_equal(route_table_find(table, BYTES_LITERAL("X"), BYTES_LITERAL("/c"), &arena, &route),
                     ROUTE_FOUND);
    assert_int_equal(route->channel, CHANNEL_API);
    arena_fini(&arena);
    route_table_release(table);
}

static void without_a_line_nothing_is_found(void **state) {
    (void)state;
    struct route_table *table = parse("");
    assert_string_equal(find(table, "GET", "/"), "none");
    assert_string_equal(find(table, "GET", "/x/y"), "none");
    route_table_release(table);
}

static void a_bad_line_is_told_by_its_number(void **state) {
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"GET", "file:1: type a path"},
        {"GET charges charges.read", "file:1: type a path"},
        {"\nGET /a//b charges.read", "file:2: type a path"},
        {"GET /a?b charges.read", "file:1: type a path"},
        {"GET /a;b charges.read", "file:1: type a path"},
        {"GET /a/.. charges.read", "file:1: type a path"},
        {"GET /%61 charges.read", "file:1: the path encodes"},
        {"GET /a*/b charges.read", "file:1: * stands for"},
        {"GET /**/b charges.read", "file:1: * stands for"},
        {"GET /a", "file:1: say what is needed"},
        {"GET /a channel=ui", "file:1: say what is needed"},
        {"GET /a channel=both token", "file:1: \"channel=both\" is no permission"},
        {"GET /a charges", "file:1: \"charges\" is no permission"},
        {"GET /a charges.*", "file:1: \"charges.*\" is no permission"},
        {"GET /a Public", "file:1: \"Public\" is no permission"},
        {"GET /a public charges.read", "file:1: public and deny stand alone"},
        {"GET /a charges.read deny", "file:1: public and deny stand alone"},
        {"get /a token", "file:1: begin with methods"},
        {"GET, /a token", "file:1: begin with methods"},
        {"GET,* /a token\nPOST /a token\n\nPUT,GET /a/ public", "file:4: the path stands on line 1"},
        {"* /a token\n* /a token", "file:2: the path stands on line 1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct route_table *table = NULL;
        enum status status =
            route_table_parse(bytes_of_text(cases[i].text), "file", &table, error, sizeof(error));
        if (status != STATUS_INVALID || table ||
            strncmp(error, cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("%s: %s", cases[i].text, error);
    }
}

static void a_file_is_read_whole_or_not_at_all(void **state) {
    (void)state;
    struct route_table *table = NULL;
    assert_int_equal(route_table_read("/nowhere/routes", &table, error, sizeof(error)), STATUS_INVALID);
    assert_string_equal(error, "/nowhere/routes is not there");
    assert_null(table);
}

static bool parse_once(void *context) {
    struct route_table *table = NULL;
    (void)context;
    enum status status = route_table_parse(bytes_of_text(routes), "file", &table, error, sizeof(error));
    route_table_release(table);
    return status == STATUS_OK;
}

static void without_memory_there_is_no_table(void **state) {
    (void)state;
    allocation_failure_try_each(parse_once, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_exact_path_decides_and_then_the_method),
        cmocka_unit_test(a_path_that_may_be_another_one_is_refused),
        cmocka_unit_test(a_line_says_everything_that_is_needed),
        cmocka_unit_test(without_a_line_nothing_is_found),
        cmocka_unit_test(a_bad_line_is_told_by_its_number),
        cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(without_memory_there_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
