/* A validator without a database, fed by another (latchkey-validator --upstream).
 *
 * The feeder has a lease of its own, and one row for itself and all whom it feeds. The fed one sends a nonce; the feeder
 * answers how long its own lease still lasts, and the fed one serves for that long, counted from before it sent the
 * nonce: so it stops no later than the feeder, however long the answer travelled. In its row the feeder tells the lowest
 * position of all who may still serve: its own, and that of one to whom it has given time, until that time is over or a
 * newer position was told.
 *
 * What lease.pml has shown is taken from there: the waiter is told either that the row's position has reached the
 * revocation or that every lease of a committed renewal is over, and then the row is gone. Nobody registers again here:
 * whoever does knows the revocation before it serves.
 *
 * Once the waiter was told that nobody admits any more, nobody admits by the state before the revocation.
 */
#define LEASE 3
#define END 7     /* ticks */
#define NONCES 3
#define NEVER 255

byte now;

/* The database. */
byte head;              /* 1: the revocation is committed */
bool has_row = true;
byte row_position, row_until;

/* The feeder's memory. */
byte version, until;
byte held_position;     /* what the fed one has told to have applied */
byte held_until;        /* until when it has been given time */

/* The fed one's memory. */
byte fed_version, fed_until;

bool is_fenced;

chan up = [1] of { byte };            /* a nonce, with the position applied */
chan down = [1] of { byte, byte };    /* the version, how long the feeder's lease still lasts */

active proctype clock() {
    do
    :: now < END -> now++
    od
}

active proctype revoker() {
    head = 1
}

active proctype feeder() {
    byte sent_at, heads, told_position, position;
    do
    :: has_row ->
        d_step {
            sent_at = now;
            told_position = version;
#ifndef WRONG_FEEDER_TELLS_ITS_OWN
            if
            :: held_until > now && held_position < version -> told_position = held_position
            :: else
            fi
#endif
        }
        d_step {        /* committed in the database; before and after it the message travels */
            heads = head;
            if
            :: has_row ->
                row_position = told_position;
                if
                :: sent_at + LEASE > row_until -> row_until = sent_at + LEASE
                :: else
                fi
            :: else -> sent_at = NEVER
            fi;
            told_position = 0
        }
        d_step {
            if
            :: sent_at == NEVER -> until = 0
            :: else ->
                if
                :: heads > version -> version = heads
                :: else
                fi;
                if
                :: sent_at + LEASE > until -> until = sent_at + LEASE
                :: else
                fi
            fi;
            sent_at = 0;
            heads = 0
        }
    :: up?position ->
        d_step {        /* between two renewals: they are one thread's */
            held_position = position;
            position = 0;
            if
            :: until > now ->
                held_until = until;
                down!version, until - now
            :: else -> down!version, 0
            fi
        }
    od
}

active proctype fed() {
    byte asked_at, left, news, nonces;
    do
    :: nonces < NONCES ->
        nonces++;
        asked_at = now;
        up!fed_version;
        down?news, left;
        fed_version = news;
#ifdef WRONG_NO_NONCE
        asked_at = now;
#endif
        d_step {
            if
            :: left > 0 && asked_at + left > fed_until -> fed_until = asked_at + left
            :: else
            fi;
            left = 0;
            asked_at = 0;
            news = 0
        }
    od
}

active proctype waiter() {
    d_step {
        head == 1 && (row_position >= 1 || now >= row_until) ->
            has_row = false;
            is_fenced = true
    }
}

active proctype reader() {
    do
    :: assert(!(is_fenced && now < until && version == 0))
    :: assert(!(is_fenced && now < fed_until && fed_version == 0))
#ifdef REACH_FED_SERVES_AFTER_FENCE
    :: assert(!(is_fenced && now < fed_until && fed_version == 1))
#endif
#ifdef REACH_FED_SERVES_THE_OLD
    :: assert(!(head == 1 && version == 1 && now < fed_until && fed_version == 0))
#endif
    od
}
