// TLS as a stream over another one, which is memory here: what leaves below for each write above, what is
// told of how it ends, and that nothing is lost or left behind without memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_session.h"
#include "common/net/loop_internal.h"
#include "common/net/stream_tls.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/certificates.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"

enum { LARGE_BYTES = 200000 };
#define NOT_YET STATUS_COUNT

static const struct certificate_name server_names[] = {{GEN_DNS, BYTES_LITERAL("localhost")}};
static const struct certificate_name client_names[] = {{GEN_DNS, BYTES_LITERAL("client.test")}};
static struct certificate authority, server_certificate, client_certificate;
static uint8_t large[LARGE_BYTES];

// ---- both ends ----

struct scene {
    struct loop_group *loops;
    struct tls_server *server;
    struct tls_client *client;
    struct memory_stream below;
    struct stream *stream; // NULL once closed
    struct tls_session *peer;
    struct buffer to_server, said_to_peer; // the peer's ciphertext, and what it has heard
    enum status peer_status;

    enum status handshake; // NOT_YET
    size_t answered, reads, ends;
    enum stream_end why;
    struct buffer heard;
    bool closes_on_read;
};

static void close_stream(struct scene *scene) {
    if (scene->stream)
        stream_close(scene->stream, STREAM_CLOSE_FLUSH);
    scene->stream = NULL;
}

static void on_read(void *context, struct bytes bytes) {
    struct scene *scene = context;
    scene->reads++;
    buffer_append(&scene->heard, bytes);
    if (scene->closes_on_read)
        close_stream(scene);
}

static void on_drained(void *context) {
    (void)context;
}

static void on_end(void *context, enum stream_end why) {
    struct scene *scene = context;
    scene->ends++;
    scene->why = why;
}

static const struct stream_callbacks callbacks = {on_read, on_drained, on_end};

static void on_answered(void *context) {
    ((struct scene *)context)->answered++;
}

static void on_handshake_end(void *context, struct stream *stream, enum status status) {
    struct scene *scene = context;
    scene->handshake = status;
    if (status == STATUS_OK)
        stream_start(stream, &callbacks, scene);
}

// False without memory.
static bool open_scene(struct scene *scene) {
    char error[256];
    const struct tls_server_options server = {.certificate_file = server_certificate.certificate_file,
                                              .key_file = server_certificate.key_file,
                                              .client_ca_file = authority.certificate_file,
                                              .clock = clock_get_system()};
    const struct tls_client_options client = {.ca_file = authority.certificate_file,
                                              .certificate_file = client_certificate.certificate_file,
                                              .key_file = client_certificate.key_file,
                                              .server_name = "localhost"};
    *scene = (struct scene){.handshake = NOT_YET};
    if (loop_group_new(1, clock_get_system(), &scene->loops) != STATUS_OK ||
        tls_server_new(&server, &scene->server, error, sizeof(error)) != STATUS_OK ||
        tls_client_new(&client, &scene->client, error, sizeof(error)) != STATUS_OK ||
        tls_session_new_of_client(scene->client, &scene->peer) != STATUS_OK)
        return false;
    const struct stream_tls_handshake handshake = {on_answered, on_handshake_end, scene};
    const struct ip_address nowhere = {.family = IP_FAMILY_NONE};
    memory_stream_init(&scene->below, loop_group_get_loop(scene->loops, 0), &nowhere);
    scene->peer_status =
        tls_session_receive(scene->peer, BYTES_EMPTY, &scene->said_to_peer, &scene->to_server);
    return stream_tls_open(&scene->below.base, scene->server, &handshake, &scene->stream) == STATUS_OK;
}

// What is under way arrives, in one piece each, until nothing is.
static void exchange(struct scene *scene) {
    while (scene->to_server.len > 0 || scene->below.written.len > 0) {
        if (scene->to_server.len > 0 && !scene->below.is_closed)
            scene->below.base.callbacks->on_read(scene->below.base.context,
                                                 buffer_get_bytes(&scene->to_server));
        buffer_reset(&scene->to_server);
        if (scene->below.written.len > 0 && scene->peer_status == STATUS_OK)
            scene->peer_status = tls_session_receive(scene->peer, buffer_get_bytes(&scene->below.written),
                                                     &scene->said_to_peer, &scene->to_server);
        buffer_reset(&scene->below.written);
    }
}

static void close_scene(struct scene *scene) {
    close_stream(scene);
    loop_group_free(scene->loops);
    tls_session_free(scene->peer);
    tls_client_free(scene->client);
    tls_server_free(scene->server);
    memory_stream_fini(&scene->below);
    buffer_fini(&scene->to_server);
    buffer_fini(&scene->said_to_peer);
    buffer_fini(&scene->heard);
}

static void open_whole(struct scene *scene) {
    assert_true(open_scene(scene));
    exchange(scene);
    assert_int_equal(scene->handshake, STATUS_OK);
    assert_int_equal(scene->peer_status, STATUS_OK);
}

static void let_peer_say(struct scene *scene, struct bytes what) {
    assert_int_equal(tls_session_send(scene->peer, what, &scene->to_server), STATUS_OK);
}

// ---- the cases ----

static void a_handshake_is_answered_once_and_ends_once_and_tells_who_the_peer_is(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    assert_int_equal(scene.answered, 1);
    assert_int_equal(scene.below.writes, 2); // the answer, and the ticket
    assert_string_equal(stream_get_identity(scene.stream)->names[0], "dns:client.test");
    assert_string_equal(stream_tls_get_failure(scene.stream), "");
    close_scene(&scene);
}

static void every_write_above_is_one_below(void **state) {
    (void)state;
    struct scene scene;
    static const size_t sizes[] = {1, 16384, 16385, LARGE_BYTES};
    open_whole(&scene);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        size_t before = scene.below.writes;
        buffer_reset(&scene.said_to_peer);
        assert_int_equal(stream_write(scene.stream, bytes_of(large, sizes[i])), STATUS_OK);
        assert_int_equal(scene.below.writes, before + 1);
        exchange(&scene);
        assert_int_equal(scene.said_to_peer.len, sizes[i]);
        assert_memory_equal(scene.said_to_peer.data, large, sizes[i]);
    }
    close_scene(&scene);
}

static void every_read_below_is_one_above(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    for (int i = 0; i < 5; i++)
        let_peer_say(&scene, bytes_of(large, 10000));
    exchange(&scene);
    assert_int_equal(scene.reads, 1);
    assert_int_equal(scene.heard.len, 50000);
    close_scene(&scene);
}

static void what_comes_with_the_end_of_the_handshake_is_not_lost(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    scene.below.base.callbacks->on_read(scene.below.base.context, buffer_get_bytes(&scene.to_server));
    buffer_reset(&scene.to_server);
    assert_int_equal(tls_session_receive(scene.peer, buffer_get_bytes(&scene.below.written),
                                         &scene.said_to_peer, &scene.to_server),
                     STATUS_OK);
    buffer_reset(&scene.below.written);
    let_peer_say(&scene, BYTES_LITERAL("preface"));
    exchange(&scene);
    assert_int_equal(scene.reads, 1);
    assert_memory_equal(scene.heard.data, "preface", 7);
    close_scene(&scene);
}

static void an_end_that_is_said_follows_what_was_said_before(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    let_peer_say(&scene, BYTES_LITERAL("last"));
    tls_session_end(scene.peer, &scene.to_server);
    exchange(&scene);
    assert_memory_equal(scene.heard.data, "last", 4);
    assert_int_equal(scene.ends, 1);
    assert_int_equal(scene.why, STREAM_END_PEER_CLOSED);
    assert_int_equal(stream_write(scene.stream, BYTES_LITERAL("x")), STATUS_CLOSED);
    close_scene(&scene);
}

static void an_end_that_is_not_said_is_a_reset(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    scene.below.base.callbacks->on_end(scene.below.base.context, STREAM_END_PEER_CLOSED);
    assert_int_equal(scene.why, STREAM_END_RESET);
    assert_int_equal(scene.ends, 1);
    close_scene(&scene);
}

static void a_changed_byte_ends_it_and_is_not_handed_on(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    let_peer_say(&scene, bytes_of(large, 100));
    scene.to_server.data[50] ^= 1;
    exchange(&scene);
    assert_int_equal(scene.reads, 0);
    assert_int_equal(scene.ends, 1);
    assert_int_equal(scene.why, STREAM_END_TLS_FAILED);
    close_scene(&scene);
}

static void the_owner_s_end_is_said(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    close_stream(&scene);
    assert_true(scene.below.is_closed);
    exchange(&scene);
    assert_int_equal(scene.peer_status, STATUS_CLOSED);
    assert_int_equal(scene.ends, 0);
    close_scene(&scene);
}

static void it_may_be_closed_by_who_reads(void **state) {
    (void)state;
    struct scene scene;
    open_whole(&scene);
    scene.closes_on_read = true;
    let_peer_say(&scene, BYTES_LITERAL("enough"));
    tls_session_end(scene.peer, &scene.to_server);
    exchange(&scene);
    assert_int_equal(scene.reads, 1);
    assert_int_equal(scene.ends, 0);
    close_scene(&scene);
}

static void let_arrive(struct scene *scene, struct bytes bytes) {
    scene->below.base.callbacks->on_read(scene->below.base.context, bytes);
}

static void a_first_message_may_come_in_any_pieces(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    struct bytes hello = buffer_get_bytes(&scene.to_server);
    for (size_t i = 0; i < hello.len; i++) {
        assert_int_equal(scene.answered, 0);
        let_arrive(&scene, bytes_of(hello.data + i, 1));
    }
    assert_int_equal(scene.answered, 1);
    buffer_reset(&scene.to_server);
    exchange(&scene);
    assert_int_equal(scene.handshake, STATUS_OK);
    close_scene(&scene);
}

static void a_first_message_that_is_announced_too_long_is_not_waited_for(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    let_arrive(&scene, BYTES_LITERAL("\x16\x03\x01\x40\0\x01\x01\xff\xff"));
    assert_int_equal(scene.handshake, STATUS_MALFORMED);
    assert_string_equal(stream_tls_get_failure(scene.stream), "the first message is too long");
    let_arrive(&scene, BYTES_LITERAL("and more"));
    assert_int_equal(scene.ends, 0);
    close_scene(&scene);
}

static void one_that_has_not_said_all_may_be_closed(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    let_arrive(&scene, BYTES_LITERAL("\x16"));
    close_stream(&scene);
    assert_true(scene.below.is_closed);
    assert_int_equal(scene.below.written.len, 0);
    close_scene(&scene);
}

static void a_handshake_that_fails_says_why(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    scene.below.base.callbacks->on_read(scene.below.base.context, BYTES_LITERAL("SSH-2.0-OpenSSH_9.2\r\n"));
    assert_int_equal(scene.handshake, STATUS_MALFORMED);
    assert_string_equal(stream_tls_get_failure(scene.stream), "what comes is not TLS");
    assert_int_equal(scene.answered, 0);
    close_scene(&scene);
}

static void a_peer_that_goes_in_the_middle_of_it_is_told_as_gone(void **state) {
    (void)state;
    struct scene scene;
    assert_true(open_scene(&scene));
    scene.below.base.callbacks->on_end(scene.below.base.context, STREAM_END_RESET);
    assert_int_equal(scene.handshake, STATUS_CLOSED);
    assert_int_equal(scene.ends, 0);
    close_scene(&scene);
}

static bool talk_once(void *context) {
    struct scene scene;
    (void)context;
    bool is_done = open_scene(&scene);
    if (is_done)
        exchange(&scene);
    is_done = is_done && scene.handshake == STATUS_OK && scene.peer_status == STATUS_OK &&
              stream_write(scene.stream, bytes_of(large, LARGE_BYTES)) == STATUS_OK &&
              tls_session_send(scene.peer, bytes_of(large, 1000), &scene.to_server) == STATUS_OK;
    if (is_done)
        exchange(&scene);
    is_done = is_done && scene.heard.len == 1000 && scene.said_to_peer.len == LARGE_BYTES;
    close_scene(&scene);
    return is_done;
}

static void without_memory_it_ends_and_leaves_nothing(void **state) {
    (void)state;
    allocation_failure_try_each(talk_once, NULL);
}

static int set_up(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (uint8_t)(i * 31 >> 4);
    certificate_make(&authority, &(struct certificate_options){.is_authority = true});
    certificate_make(&server_certificate, &(struct certificate_options){
                                              .names = server_names, .name_count = 1, .issuer = &authority});
    certificate_make(&client_certificate, &(struct certificate_options){
                                              .names = client_names, .name_count = 1, .issuer = &authority});
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    certificate_fini(&authority);
    certificate_fini(&server_certificate);
    certificate_fini(&client_certificate);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_answered_once_and_ends_once_and_tells_who_the_peer_is),
        cmocka_unit_test(every_write_above_is_one_below),
        cmocka_unit_test(every_read_below_is_one_above),
        cmocka_unit_test(what_comes_with_the_end_of_the_handshake_is_not_lost),
        cmocka_unit_test(an_end_that_is_said_follows_what_was_said_before),
        cmocka_unit_test(an_end_that_is_not_said_is_a_reset),
        cmocka_unit_test(a_changed_byte_ends_it_and_is_not_handed_on),
        cmocka_unit_test(the_owner_s_end_is_said),
        cmocka_unit_test(it_may_be_closed_by_who_reads),
        cmocka_unit_test(a_first_message_may_come_in_any_pieces),
        cmocka_unit_test(a_first_message_that_is_announced_too_long_is_not_waited_for),
        cmocka_unit_test(one_that_has_not_said_all_may_be_closed),
        cmocka_unit_test(a_handshake_that_fails_says_why),
        cmocka_unit_test(a_peer_that_goes_in_the_middle_of_it_is_told_as_gone),
        cmocka_unit_test(without_memory_it_ends_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
