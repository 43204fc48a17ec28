// A snapshot file comes back as the image it was made of, or not at all: whatever bit of it is changed,
// wherever it ends, whoever it belongs to; and a process killed while it writes leaves the old one or the
// new.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/validator/follow/snapshot_dump.h"
#include "services/validator/follow/snapshot_file.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/plain_image.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

struct stage {
    char directory[64], path[96], new_path[112];
    struct reclaim reclaim;
    struct image *image;
    struct plain_rows rows;
    struct seed seed;
};

static const struct snapshot_identity identity = {1, 2, 3, 4, {UINT64_MAX}};
static const atomic_bool is_stopping = false;
static struct snapshot_progress progress;

static void note_positions(struct image *image, struct reclaim *reclaim, int64_t seq) {
    struct lanes *lanes = image_get_own_lanes(image);
    int64_t heads[LANE_COUNT];
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++) {
        heads[lane] = seq;
        lanes_note(lanes, (struct revision){lane, seq, 1000 + lane});
    }
    assert_int_equal(lanes_publish(lanes, 1, heads, reclaim), STATUS_OK);
}

static int set_up(void **state) {
    static struct stage stage;
    stage = (struct stage){.seed = seed_new()};
    snprintf(stage.directory, sizeof(stage.directory), "%s", "/tmp/latchkey-snapshot-XXXXXX");
    assert_non_null(mkdtemp(stage.directory));
    snprintf(stage.path, sizeof(stage.path), "%s/file", stage.directory);
    snprintf(stage.new_path, sizeof(stage.new_path), "%s.new", stage.path);
    const struct fingerprint_key key = fingerprint_key_new();
    assert_int_equal(image_new(&stage.reclaim, &key, LANE_SET_ALL, &stage.image), STATUS_OK);
    plain_draw_rows(&stage.seed, &stage.rows);
    assert_int_equal(plain_apply(&stage.rows, NULL, stage.image), STATUS_OK);
    note_positions(stage.image, &stage.reclaim, 5);
    *state = &stage;
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    reclaim_fini(&stage->reclaim);
    image_free(stage->image);
    unlink(stage->path);
    unlink(stage->new_path);
    assert_int_equal(rmdir(stage->directory), 0);
    return 0;
}

// --- writing and reading ---

static enum status write_file(const struct stage *stage, int *ret_error) {
    struct snapshot_dump *dump;
    uint64_t bytes;
    assert_int_equal(snapshot_dump_new(stage->path, &identity, stage->image, clock_get_system(), &dump),
                     STATUS_OK);
    snapshot_dump_run_to_end(dump);
    return snapshot_dump_free(dump, ret_error, &bytes);
}

static void write_well(const struct stage *stage) {
    int error;
    assert_int_equal(write_file(stage, &error), STATUS_OK);
}

struct loaded {
    enum status status;
    const char *why;
    struct reclaim reclaim;
    struct image *image;
    struct snapshot_found found;
};

static void end_loaded(struct loaded *loaded) {
    reclaim_fini(&loaded->reclaim);
    image_free(loaded->image);
}

static struct snapshot_file_options make_options(struct loaded *loaded) {
    return (struct snapshot_file_options){.identity = identity,
                                          .clock = clock_get_system(),
                                          .reclaim = &loaded->reclaim,
                                          .is_stopping = &is_stopping,
                                          .progress = &progress,
                                          .round = 7};
}

static void load_as(struct loaded *loaded, const char *path, struct snapshot_identity of) {
    *loaded = (struct loaded){.why = NULL};
    struct snapshot_file_options options = make_options(loaded);
    options.identity = of;
    loaded->status = snapshot_file_load(path, &options, &loaded->found, &loaded->image, &loaded->why);
}

static void expect_refusal(const char *path, struct snapshot_identity of, const char *why) {
    struct loaded loaded;
    load_as(&loaded, path, of);
    assert_int_equal(loaded.status, STATUS_INVALID);
    assert_string_equal(loaded.why, why);
    end_loaded(&loaded);
}

struct memory {
    struct bytes rest;
};

static bool read_memory(void *context, uint8_t *to, size_t len) {
    struct memory *memory = context;
    if (memory->rest.len < len)
        return false;
    memcpy(to, memory->rest.data, len);
    memory->rest = bytes_of(memory->rest.data + len, memory->rest.len - len);
    return true;
}

static void read_bytes(struct loaded *loaded, struct bytes file) {
    struct memory memory = {file};
    const struct snapshot_source source = {read_memory, &memory};
    *loaded = (struct loaded){.why = NULL};
    const struct snapshot_file_options options = make_options(loaded);
    loaded->status = snapshot_file_read(&source, &options, &loaded->found, &loaded->image, &loaded->why);
}

static uint8_t *slurp(const char *path, size_t *ret_len) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *ret_len = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*ret_len);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *ret_len, file), *ret_len);
    fclose(file);
    return data;
}

// --- cases ---

static void a_file_is_the_image_it_was_made_of(void **state) {
    struct stage *stage = *state;
    struct stat stat_of;
    write_well(stage);
    assert_int_equal(stat(stage->path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(access(stage->new_path, F_OK), -1);
    struct loaded loaded;
    load_as(&loaded, stage->path, identity);
    assert_int_equal(loaded.status, STATUS_OK);
    plain_check_image(&stage->rows, loaded.image);
    const struct positions *positions = lanes_get_positions(image_get_lanes(loaded.image));
    assert_int_equal(positions->round, 7);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        assert_int_equal(positions->seqs[lane], 5);
        assert_int_equal(positions->marks[lane], 1000 + lane);
    }
    end_loaded(&loaded);
}

// What is applied while it is written may be in it, and what it starts from is told apart.
static void a_file_tells_how_new_its_rows_may_be(void **state) {
    struct stage *stage = *state;
    struct snapshot_dump *dump;
    struct loaded loaded;
    int error;
    uint64_t bytes;
    assert_int_equal(snapshot_dump_new(stage->path, &identity, stage->image, clock_get_system(), &dump),
                     STATUS_OK);
    note_positions(stage->image, &stage->reclaim, 9);
    snapshot_dump_run_to_end(dump);
    assert_int_equal(snapshot_dump_free(dump, &error, &bytes), STATUS_OK);
    load_as(&loaded, stage->path, identity);
    assert_int_equal(loaded.status, STATUS_OK);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        assert_int_equal(lanes_get_positions(image_get_lanes(loaded.image))->seqs[lane], 5);
        assert_int_equal(loaded.found.end.seqs[lane], 9);
        assert_int_equal(loaded.found.end.marks[lane], 1000 + lane);
    }
    end_loaded(&loaded);
}

static void no_file_is_no_trouble(void **state) {
    struct stage *stage = *state;
    struct loaded loaded;
    load_as(&loaded, stage->path, identity);
    assert_int_equal(loaded.status, STATUS_NOT_FOUND);
}

static void not_one_bit_may_be_another(void **state) {
    struct stage *stage = *state;
    size_t len;
    write_well(stage);
    uint8_t *file = slurp(stage->path, &len);
    for (size_t i = 0; i < len; i++) {
        struct loaded loaded;
        uint8_t bit = (uint8_t)(1 << seed_next_below(&stage->seed, 8));
        file[i] ^= bit;
        read_bytes(&loaded, bytes_of(file, len));
        file[i] ^= bit;
        if (loaded.status != STATUS_INVALID)
            fail_msg("byte %zu of %zu may be changed by %#x", i, len, bit);
        end_loaded(&loaded);
    }
    free(file);
}

static void a_file_that_ends_early_or_late_is_none(void **state) {
    struct stage *stage = *state;
    size_t len;
    write_well(stage);
    uint8_t *file = slurp(stage->path, &len);
    for (size_t end = 0; end < len; end++) {
        struct loaded loaded;
        read_bytes(&loaded, bytes_of(file, end));
        assert_int_equal(loaded.status, STATUS_INVALID);
        end_loaded(&loaded);
    }
    uint8_t *longer = realloc(file, len + 1);
    assert_non_null(longer);
    longer[len] = 0;
    struct loaded loaded;
    read_bytes(&loaded, bytes_of(longer, len + 1));
    assert_int_equal(loaded.status, STATUS_INVALID);
    end_loaded(&loaded);
    free(longer);
}

static void a_file_is_of_one_database_alone(void **state) {
    struct stage *stage = *state;
    write_well(stage);
    expect_refusal(stage->path, (struct snapshot_identity){9, 2, 3, 4, {UINT64_MAX}},
                   "it is another database's");
    expect_refusal(stage->path, (struct snapshot_identity){1, 9, 3, 4, {UINT64_MAX}},
                   "it is another database's");
    expect_refusal(stage->path, (struct snapshot_identity){1, 2, 9, 4, {UINT64_MAX}},
                   "the database has another timeline by now");
    expect_refusal(stage->path, (struct snapshot_identity){1, 2, 3, 9, {UINT64_MAX}},
                   "the database has another schema version by now");
    expect_refusal(stage->path, (struct snapshot_identity){1, 2, 3, 4, {1}},
                   "it has other lanes than are served now");
}

static void change_byte(const char *path, off_t at, uint8_t byte) {
    int descriptor = open(path, O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
    close(descriptor);
}

static void a_file_of_another_release_is_told_from_a_damaged_one(void **state) {
    struct stage *stage = *state;
    write_well(stage);
    change_byte(stage->path, 15, SNAPSHOT_FORMAT + 1);
    expect_refusal(stage->path, identity, "a newer release has written it");
    change_byte(stage->path, 15, SNAPSHOT_FORMAT - 1);
    expect_refusal(stage->path, identity, "an older release has written it");
    change_byte(stage->path, 0, 'X');
    expect_refusal(stage->path, identity, "it is no snapshot file");
}

static void a_file_that_others_may_touch_is_refused(void **state) {
    struct stage *stage = *state;
    char other[128];
    snprintf(other, sizeof(other), "%s.link", stage->path);
    write_well(stage);
    assert_int_equal(chmod(stage->path, 0620), 0);
    expect_refusal(stage->path, identity, "others than its owner may read or write it");
    assert_int_equal(chmod(stage->path, 0604), 0);
    expect_refusal(stage->path, identity, "others than its owner may read or write it");
    assert_int_equal(chmod(stage->path, 0600), 0);
    assert_int_equal(symlink(stage->path, other), 0);
    expect_refusal(other, identity, "it can't be opened");
    unlink(other);
    assert_int_equal(mkfifo(other, 0600), 0);
    expect_refusal(other, identity, "it is no plain file");
    unlink(other);
    expect_refusal(stage->directory, identity, "it is no plain file");
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(stage->path, 65534, (gid_t)-1), 0);
    expect_refusal(stage->path, identity, "it belongs to another user");
}

static void what_can_not_be_written_leaves_the_old_file(void **state) {
    struct stage *stage = *state;
    int error;
    write_well(stage);
    size_t old_len, len;
    uint8_t *old = slurp(stage->path, &old_len);
    struct rlimit before, small = {.rlim_cur = old_len / 2, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = write_file(stage, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    assert_int_equal(error, EFBIG);
    assert_int_equal(access(stage->new_path, F_OK), -1);
    uint8_t *now = slurp(stage->path, &len);
    assert_int_equal(len, old_len);
    assert_memory_equal(now, old, len);
    free(now);
    free(old);
}

static void a_directory_that_is_gone_is_an_error_and_no_more(void **state) {
    struct stage *stage = *state;
    int error;
    struct stage elsewhere = *stage;
    snprintf(elsewhere.path, sizeof(elsewhere.path), "%s/none/file", stage->directory);
    assert_int_equal(write_file(&elsewhere, &error), STATUS_UNAVAILABLE);
    assert_int_equal(error, ENOENT);
}

static void an_image_that_is_forgotten_leaves_no_file(void **state) {
    struct stage *stage = *state;
    struct snapshot_dump *dump;
    int error;
    uint64_t bytes;
    assert_int_equal(snapshot_dump_new(stage->path, &identity, stage->image, clock_get_system(), &dump),
                     STATUS_OK);
    assert_int_equal(snapshot_dump_run(dump, 0), SNAPSHOT_DUMP_RUNS);
    snapshot_dump_forget_image(dump);
    assert_int_equal(snapshot_dump_free(dump, &error, &bytes), STATUS_CANCELLED);
    assert_int_equal(access(stage->path, F_OK), -1);
    assert_int_equal(access(stage->new_path, F_OK), -1);
}

// The child writes one file after the other, each with positions of its own, and tells that it has begun.
static void write_for_ever(struct stage *stage, int started) {
    for (int64_t seq = 6;; seq++) {
        note_positions(stage->image, &stage->reclaim, seq);
        write_well(stage);
        if (seq == 6 && write(started, "", 1) != 1)
            _exit(1);
    }
}

static void who_is_killed_while_writing_leaves_a_whole_file(void **state) {
    struct stage *stage = *state;
    for (unsigned i = 0; i < 20; i++) {
        int started[2];
        uint8_t byte;
        assert_int_equal(pipe(started), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever(stage, started[1]);
        assert_int_equal(read(started[0], &byte, 1), 1);
        usleep((useconds_t)seed_next_below(&stage->seed, 20000)); // any moment will do
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(started[0]);
        close(started[1]);
        struct loaded loaded;
        load_as(&loaded, stage->path, identity);
        assert_int_equal(loaded.status, STATUS_OK);
        plain_check_image(&stage->rows, loaded.image);
        end_loaded(&loaded);
    }
    write_well(stage); // over what the last one has left
}

static void a_load_without_memory_is_no_load(void **state) {
    struct stage *stage = *state;
    write_well(stage);
    bool is_undisturbed = false;
    for (size_t k = 1; !is_undisturbed; k++) {
        struct loaded loaded;
        allocation_failure_begin(k);
        load_as(&loaded, stage->path, identity);
        is_undisturbed = allocation_failure_end() < k;
        // What is only remembered to be freed later, or may be done without, is no failure.
        if (loaded.status == STATUS_OK)
            plain_check_image(&stage->rows, loaded.image);
        else
            assert_int_equal(loaded.status, STATUS_NO_MEMORY);
        assert_true(loaded.status == STATUS_OK || !is_undisturbed);
        end_loaded(&loaded);
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_the_image_it_was_made_of),
        CASE(a_file_tells_how_new_its_rows_may_be),
        CASE(no_file_is_no_trouble),
        CASE(not_one_bit_may_be_another),
        CASE(a_file_that_ends_early_or_late_is_none),
        CASE(a_file_is_of_one_database_alone),
        CASE(a_file_of_another_release_is_told_from_a_damaged_one),
        CASE(a_file_that_others_may_touch_is_refused),
        CASE(what_can_not_be_written_leaves_the_old_file),
        CASE(a_directory_that_is_gone_is_an_error_and_no_more),
        CASE(an_image_that_is_forgotten_leaves_no_file),
        CASE(who_is_killed_while_writing_leaves_a_whole_file),
        CASE(a_load_without_memory_is_no_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
