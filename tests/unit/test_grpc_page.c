// Pages: what a token carries comes back to the same company for the same question, and to nobody for
// another.
#include <string.h>

#include "common/grpc/page.h"
#include "latchkey/v1/token.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

struct stage {
    struct page_scope scope;
    struct arena arena;
    struct fault fault;
    struct page page;
    Latchkey__V1__ListAccessTokensRequest request;
};

static void begin(struct stage *stage) {
    stage->scope = (struct page_scope){BYTES_LITERAL("the deployment's key"), {{7}}};
    arena_init(&stage->arena, 0);
    fault_init(&stage->fault, &stage->arena);
    latchkey__v1__list_access_tokens_request__init(&stage->request);
    stage->request.label_contains = (char *)"ci";
}

static void end(struct stage *stage) {
    arena_fini(&stage->arena);
}

static void parse(struct stage *stage, size_t cursor_length) {
    fault_init(&stage->fault, &stage->arena);
    page_parse(&stage->scope, &stage->request.base, cursor_length, &stage->arena, &stage->fault,
               &stage->page);
}

static void set_token(struct stage *stage, struct bytes cursor) {
    stage->request.page_token = page_make_token(&stage->scope, &stage->request.base, cursor, &stage->arena);
    assert_non_null(stage->request.page_token);
}

static void assert_refused(const struct stage *stage, const char *field) {
    assert_int_equal(stage->fault.status, STATUS_INVALID);
    assert_int_equal(stage->fault.field_count, 1);
    assert_string_equal(stage->fault.fields->field, field);
    assert_int_equal(stage->page.cursor.len, 0);
    assert_true(stage->page.size >= 1 && stage->page.size <= PAGE_SIZE_MAX);
}

static void a_size_is_taken_within_its_bounds(void **state) {
    (void)state;
    static const struct {
        int32_t asked, given;
    } cases[] = {{0, PAGE_SIZE_DEFAULT}, {1, 1}, {100, 100}, {1000, 1000}, {1001, 1000}, {INT32_MAX, 1000}};
    struct stage stage;
    begin(&stage);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        stage.request.page_size = cases[i].asked;
        parse(&stage, 0);
        assert_int_equal(stage.fault.status, STATUS_OK);
        assert_int_equal(stage.page.size, cases[i].given);
    }
    stage.request.page_size = -1;
    parse(&stage, 0);
    assert_refused(&stage, "page_size");
    end(&stage);
}

static void a_cursor_comes_back_whatever_the_next_pages_size(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct stage stage;
    begin(&stage);
    for (size_t len = 1; len <= PAGE_CURSOR_MAX; len++) {
        uint8_t cursor[PAGE_CURSOR_MAX];
        seed_fill(&seed, cursor, sizeof(cursor));
        stage.request.page_size = (int32_t)len;
        stage.request.page_token = (char *)"";
        set_token(&stage, bytes_of(cursor, len));
        for (const char *at = stage.request.page_token; *at; at++)
            assert_null(strchr("+/= %&?#", *at)); // it may stand in a URL
        stage.request.page_size = 7;
        parse(&stage, 0);
        assert_int_equal(stage.fault.status, STATUS_OK);
        assert_true(bytes_is_equal(stage.page.cursor, bytes_of(cursor, len)));
        parse(&stage, len);
        assert_int_equal(stage.fault.status, STATUS_OK);
        parse(&stage, len + 1);
        assert_refused(&stage, "page_token");
    }
    end(&stage);
}

static void a_token_of_another_question_is_refused(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    set_token(&stage, BYTES_LITERAL("cursor"));
    stage.request.label_contains = (char *)"cI";
    parse(&stage, 0);
    assert_refused(&stage, "page_token");
    stage.request.label_contains = (char *)"ci";
    stage.request.state = LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_ACTIVE;
    parse(&stage, 0);
    assert_refused(&stage, "page_token");
    end(&stage);
}

static void a_token_of_another_method_company_or_deployment_is_refused(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    stage.request.label_contains = (char *)"";
    set_token(&stage, BYTES_LITERAL("cursor"));

    Latchkey__V1__ListPermissionsRequest other;
    latchkey__v1__list_permissions_request__init(&other); // the same arguments: none
    other.page_token = stage.request.page_token;
    page_parse(&stage.scope, &other.base, 0, &stage.arena, &stage.fault, &stage.page);
    assert_refused(&stage, "page_token");

    stage.scope.company_id.bytes[15] = 1;
    parse(&stage, 0);
    assert_refused(&stage, "page_token");
    stage.scope.company_id.bytes[15] = 0;
    stage.scope.key = BYTES_LITERAL("another's key");
    parse(&stage, 0);
    assert_refused(&stage, "page_token");
    end(&stage);
}

static void a_token_that_was_changed_anywhere_is_refused(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    set_token(&stage, BYTES_LITERAL("16 bytes of a id"));
    char *token = stage.request.page_token;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (char *at = token; *at; at++) {
        char right = *at;
        for (const char *wrong = alphabet; *wrong; wrong++) {
            if (*wrong == right)
                continue;
            *at = *wrong;
            parse(&stage, 16);
            assert_refused(&stage, "page_token");
        }
        *at = right;
    }
    parse(&stage, 16);
    assert_int_equal(stage.fault.status, STATUS_OK);
    end(&stage);
}

static void a_token_that_was_cut_lengthened_or_made_up_is_refused(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    set_token(&stage, BYTES_LITERAL("16 bytes of a id"));
    struct bytes token = bytes_of_text(stage.request.page_token);
    for (size_t cut = 1; cut < token.len; cut++) {
        stage.request.page_token = arena_copy_bytes(&stage.arena, bytes_of(token.data, cut));
        parse(&stage, 0);
        assert_refused(&stage, "page_token");
    }
    for (size_t more = 1; more < 300; more++) {
        char *longer = arena_allocate(&stage.arena, token.len + more + 1);
        assert_non_null(longer);
        memcpy(longer, token.data, token.len);
        memset(longer + token.len, 'A', more);
        longer[token.len + more] = '\0';
        stage.request.page_token = longer;
        parse(&stage, 0);
        assert_refused(&stage, "page_token");
    }
    static const char *const bad[] = {
        "=", "A", "AAAA", "!!!!", "\xc3\xa4", " ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        stage.request.page_token = (char *)bad[i];
        parse(&stage, 0);
        assert_refused(&stage, "page_token");
    }
    end(&stage);
}

static void a_token_has_one_spelling(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    size_t other_spellings = 0;
    for (uint8_t byte = 0; byte < 255; byte++) {
        uint8_t cursor[3] = {0xfb, 0xff, byte};
        stage.request.page_token = (char *)"";
        set_token(&stage, bytes_of(cursor, sizeof(cursor)));
        char *token = stage.request.page_token;
        for (char *at = token; *at; at++) {
            if (*at != '-' && *at != '_')
                continue;
            *at = *at == '-' ? '+' : '/';
            other_spellings++;
        }
        parse(&stage, 3);
        if (strpbrk(token, "+/"))
            assert_refused(&stage, "page_token");
    }
    assert_true(other_spellings > 0);
    end(&stage);
}

static void an_arena_that_runs_out_is_told_and_never_a_first_page_in_silence(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    set_token(&stage, BYTES_LITERAL("cursor"));
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16) {
        struct arena small;
        struct fault fault;
        struct page page;
        arena_init(&small, limit);
        fault_init(&fault, &small);
        page_parse(&stage.scope, &stage.request.base, 0, &small, &fault, &page);
        bool is_read = fault.status == STATUS_OK;
        assert_int_equal(page.cursor.len > 0, is_read);
        if (!is_read)
            assert_int_equal(fault.status, STATUS_NO_MEMORY);
        arena_fini(&small);
        if (is_read)
            break;
        refused++;
    }
    assert_true(refused > 0);
    end(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_taken_within_its_bounds),
        cmocka_unit_test(a_cursor_comes_back_whatever_the_next_pages_size),
        cmocka_unit_test(a_token_of_another_question_is_refused),
        cmocka_unit_test(a_token_of_another_method_company_or_deployment_is_refused),
        cmocka_unit_test(a_token_that_was_changed_anywhere_is_refused),
        cmocka_unit_test(a_token_that_was_cut_lengthened_or_made_up_is_refused),
        cmocka_unit_test(a_token_has_one_spelling),
        cmocka_unit_test(an_arena_that_runs_out_is_told_and_never_a_first_page_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
