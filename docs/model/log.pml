/* The change log of one lane, the snapshot, and who follows (common/db/schema/0004_change_log.sql,
 * services/validator/follow/follower.h).
 *
 * Two writers change an object each; the log may lose its oldest rows; the database may once be restored from a backup. The
 * follower loads, and then renews and applies without end. An object's state is the stamp of its last change, and no
 * two changes have one stamp, which is what a mark is.
 *
 * Whenever an answer lets the follower serve, it has in memory what the database had when it answered, or newer:
 * nothing is skipped, and no history is taken for another.
 */
#define OBJECTS 2
#define CHANGES 4          /* seq 1..CHANGES */

/* The database. */
byte stamps;               /* given so far, before a restore too */
byte state[OBJECTS];
byte log_mark[CHANGES + 1];   /* 0: no such row */
byte log_object[CHANGES + 1];
byte head, head_mark;
byte generation;           /* a restore ends every connection */
#ifdef WRONG_NUMBER_AT_INSERT
byte next;
#endif

/* The backup. */
bool has_backup;
byte backup_state[OBJECTS];
byte backup_head, backup_mark;

inline commit(object) {
    stamps++;
    state[object] = stamps;
    log_mark[head] = stamps;
    log_object[head] = object;
    head_mark = stamps
}

/* The row of the head is locked until the commit. */
proctype writer(byte object) {
    byte seq;
    do
    :: head < CHANGES && stamps < CHANGES ->
#ifdef WRONG_NUMBER_AT_INSERT
        d_step { next++; seq = next }
        d_step {
            if
            :: seq <= CHANGES && stamps < CHANGES ->
                stamps++;
                state[object] = stamps;
                log_mark[seq] = stamps;
                log_object[seq] = object;
                if
                :: seq > head -> head = seq; head_mark = stamps
                :: else
                fi
            :: else
            fi
        }
#else
        d_step {
            if
            :: head < CHANGES && stamps < CHANGES -> head++; commit(object)
            :: else
            fi
        }
#endif
    od
}

active proctype pruner() {
    byte oldest = 1;
    do
    :: oldest < head -> d_step { log_mark[oldest] = 0; oldest++ }
    od
}

#ifndef WRONG_NUMBER_AT_INSERT
active proctype restorer() {
    byte i;
    d_step {
        backup_state[0] = state[0];
        backup_state[1] = state[1];
        backup_head = head;
        backup_mark = head_mark;
    }
    d_step {
        state[0] = backup_state[0];
        state[1] = backup_state[1];
        i = 1;
        do
        :: i <= CHANGES ->
            if
            :: i > backup_head -> log_mark[i] = 0
            :: else
            fi
            i++
        :: else -> break
        od
        head = backup_head;
        head_mark = backup_mark;
        generation++
    }
}
#endif

active proctype follower() {
    byte image[OBJECTS], wanted[OBJECTS];
    byte cursor, cursor_mark, heads, mark_there, connection, i;
    bool is_mark_known, is_gapless;

loading:
    atomic {
        connection = generation;
        image[0] = state[0];
        image[1] = state[1];
#ifdef WRONG_HEADS_AFTER_SNAPSHOT
    }
    atomic {
#endif
        cursor = head;
        cursor_mark = head_mark
    }
renewing:
    atomic {
        connection = generation;
        heads = head;
        wanted[0] = state[0];
        wanted[1] = state[1];
        is_mark_known = (cursor == head || (cursor > 0 && log_mark[cursor] != 0));
        if
        :: cursor == head -> mark_there = head_mark
        :: cursor != head && cursor > 0 -> mark_there = log_mark[cursor]
        :: else -> mark_there = 0
        fi
    }
#ifdef WRONG_NO_MARKS
    if
    :: heads < cursor -> goto lost
    :: else
    fi
#else
    if
    :: heads < cursor || (is_mark_known && mark_there != cursor_mark) -> goto lost
    :: else
    fi
#endif
#ifndef WRONG_PRUNED_IGNORED
    if
    :: heads > cursor && !is_mark_known -> goto loading
    :: else
    fi
#endif
    /* The changes and the rows as they are now, in one transaction. */
    atomic {
        is_gapless = true;
        if
        :: heads > cursor && connection == generation ->
            i = cursor + 1;
            do
            :: i <= head && log_mark[i] != 0 -> image[log_object[i]] = state[log_object[i]]; i++
            :: i <= head && log_mark[i] == 0 -> is_gapless = false; i++
            :: i > head -> break
            od
            cursor = head;
            cursor_mark = head_mark
        :: else
        fi;
        i = 0
    }
#ifndef WRONG_GAPS_ACCEPTED
    if
    :: !is_gapless -> goto loading
    :: else
    fi;
#endif
    if
    :: connection != generation && heads > cursor -> goto renewing
    :: else
    fi;
    d_step {
        assert(image[0] >= wanted[0] && image[1] >= wanted[1]);
        /* Of a change that the answer does not know, there may be nothing but what came later. */
        assert(connection != generation || (image[0] <= state[0] && image[1] <= state[1]))
    }
#ifdef REACH_SERVES_AFTER_RESTORE
    assert(generation == 0 || stamps < 3);
#endif
    goto renewing;
lost:
#ifdef REACH_HISTORY_LOST
    assert(false);
#endif
    skip
}

init {
    run writer(0);
    run writer(1)
}
