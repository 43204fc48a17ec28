#include "services/validator/follow/loss_report.h"

#include "services/validator/follow/loss_store.h"

#define PARTLY "it has a snapshot file's memory, which lacks some of what was applied while that was written"

#define NO_ROOM "the validator has no memory for comparing"
#define FORGOTTEN "the validator had no memory left for what it knew"

enum { BATCH_MAX = 500 };

static struct loss_message make_message(const struct loss_report *report,
                                        const struct loss_witness *witness) {
    const struct positions *positions = witness->positions;
    return (struct loss_message){.report_id = report->id,
                                 .validator = bytes_of_text(witness->name),
                                 .seqs = positions->seqs,
                                 .marks = positions->marks};
}

// Of what it has come to in this lane the memory has only a part: it is a snapshot file's, whose rows are
// from before and after what was applied while it was written.
static bool is_partial(const struct loss_witness *witness, unsigned lane) {
    const struct positions *held = lanes_get_positions(image_get_lanes(witness->memory));
    return witness->of.lanes[lane] && held->seqs[lane] < witness->positions->seqs[lane];
}

static bool is_any_partial(const struct loss_witness *witness) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (is_partial(witness, lane))
            return true;
    return false;
}

// Which changes were lost: who comes back with memory of some of them is known by that.
//
// why not where the memory is partial: another's may have of these what this one can't tell.
static enum status know(struct follower_session session, const struct loss_report *report,
                        const struct loss_witness *witness) {
    const struct lanes *lanes = image_get_lanes(witness->memory);
    struct loss_message message = make_message(report, witness);
    enum status status = STATUS_OK;
    for (unsigned lane = 0; lane < LANE_COUNT && status == STATUS_OK; lane++) {
        struct revision known[LANES_WINDOW];
        if (!witness->of.lanes[lane] || is_partial(witness, lane))
            continue;
        message.known = known;
        message.known_count = lanes_list_known(lanes, lane, known);
        status = loss_store_know(session, &message);
    }
    return status;
}

// `failure` "": with all that there is.
static enum status end(struct follower_session session, struct uuid report_id, const char *failure) {
    const struct loss_message message = {.report_id = report_id, .failure = bytes_of_text(failure)};
    return loss_store_end(session, &message);
}

// --- comparing ---

// What has been found and not been sent.
struct batch {
    struct follower_session session;
    struct uuid report_id;
    size_t count;
    struct loss_claim changes[BATCH_MAX];
};

static enum status send(struct batch *batch) {
    const struct loss_message message = {
        .report_id = batch->report_id, .claims = batch->changes, .claim_count = batch->count};
    enum status status = batch->count > 0 ? loss_store_add(batch->session, &message) : STATUS_OK;
    batch->count = 0;
    return status;
}

static enum status add(void *context, const struct lost_change *change) {
    struct batch *batch = context;
    batch->changes[batch->count++] =
        (struct loss_claim){bytes_of_text(lost_change_get_name(change->kind)), change->company_id,
                            change->object_id, change->until_ms};
    return batch->count == BATCH_MAX ? send(batch) : STATUS_OK;
}

static enum status compare(struct follower_session session, struct uuid report_id,
                           const struct snapshot_options *options, const struct loss_witness *witness) {
    struct batch batch = {.session = session, .report_id = report_id};
    struct image *database;
    enum status status = snapshot_load(options, &database);
    if (status != STATUS_OK)
        return status;
    status = image_compare(witness->memory, database, &witness->of, add, &batch);
    if (status == STATUS_OK)
        status = send(&batch);
    if (status == STATUS_OK)
        status = end(session, report_id, is_any_partial(witness) ? PARTLY : "");
    image_free(database);
    return status;
}

// --- public ---

enum status loss_report_advance(struct loss_report *report, const struct snapshot_options *options,
                                const struct loss_witness *witness, bool *ret_is_settled) {
    struct follower_session session = {options->connection, options->clock};
    struct loss_standing standing;
    if (!loss_report_is_open(report))
        *report = (struct loss_report){.id = uuid_new(options->clock)};
    const struct loss_message message = make_message(report, witness);
    enum status status = loss_store_keep(session, &message, &standing);
    if (status != STATUS_OK)
        return status;
    *ret_is_settled = standing.state == LOSS_SETTLED;
    if (standing.state == LOSS_SETTLED)
        report->id = (struct uuid){{0}};
    if (standing.state == LOSS_SETTLED || standing.state == LOSS_COMPARED)
        return STATUS_OK;
    if (!witness->memory || report->is_beyond_memory)
        return end(session, report->id, witness->memory ? NO_ROOM : FORGOTTEN);
    status = know(session, report, witness);
    if (status == STATUS_OK)
        status = compare(session, report->id, options, witness);
    // why it is told in the next turn: this connection may be in the middle of a COPY.
    report->is_beyond_memory = status == STATUS_NO_MEMORY;
    return status;
}

enum status loss_report_withdraw(struct loss_report *report, struct follower_session session) {
    enum status status = loss_store_withdraw(session, report->id);
    if (status == STATUS_OK)
        report->id = (struct uuid){{0}};
    return status;
}
