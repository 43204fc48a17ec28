/* The lease of a validator and the fence of a confirmed revocation (services/validator/image/lease.h, common/app/fence.h).
 *
 * One validator, whose follower and reader run beside each other; the row that it keeps in the database; two revocations,
 * each with somebody who waits for it. Rows and validators do not touch each other, so one stands for all. Any process may stop anywhere for any
 * time, which is what a slow network, a lost connection and SIGSTOP come to. There is one clock, in ticks: nobody's wall
 * clock takes part, and that clocks run apart is what MARGIN stands for.
 *
 * Whenever the reader admits by the state before a revocation:
 *   fence       the question had been read before its waiter was told that nobody admits any more;
 *   staleness   the revocation (the first one's is looked at) is younger than a lease.
 */
#define LEASE 2
#define MARGIN 1
#define END 6       /* ticks */
#define RENEWALS 4  /* and registrations: the row's renewal is never seen twice */
#define NEVER 255

byte now;

/* The database. */
byte head;                 /* how many revocations are committed */
byte committed_at = NEVER; /* the first */
bool has_row;
byte row_renewal, row_position;

/* The validator's memory. */
byte version;              /* the change it has applied */
byte until;                /* it serves before this tick */
bool has_hint;

byte fenced;               /* the latest revocation whose waiter was told that nobody admits any more */

active proctype clock() {
    do
    :: now < END -> now++
    od
}

active proctype revoker() {
    d_step {
        head = 1;
        committed_at = now
    };
#ifdef WRONG_HINT_IS_TRUTH
    if
    :: has_hint = true
    :: skip                /* lost: it is only a hint */
    fi;
#endif
    head = 2
}

active proctype follower() {
    byte sent_at, heads;
    bool is_registered;

    version = head;        /* the snapshot and its heads are one */
registering:
    row_renewal < RENEWALS;
    d_step {
        has_row = true;
        row_renewal++;
        row_position = version
    }
#ifdef WRONG_LEASE_FROM_REGISTRATION
    until = now + LEASE;
#endif
renewing:
    row_renewal < RENEWALS;
    sent_at = now;
    d_step {               /* committed in the database; before and after it the message travels */
        is_registered = has_row;
        if
        :: has_row ->
            row_renewal++;
            row_position = version;
            heads = head
        :: else
        fi
    }
    if
    :: !is_registered ->
        until = 0;
        goto registering
    :: else
    fi
#ifdef WRONG_HINT_IS_TRUTH
    if
    :: has_hint -> version = head
    :: else
    fi
#else
    if
    :: heads > version -> version = head
    :: else
    fi
#endif
#ifdef WRONG_LEASE_FROM_ANSWER
    sent_at = now;
#endif
    if
    :: sent_at + LEASE > until -> until = sent_at + LEASE
    :: else
    fi
    goto renewing
}

/* The clock is read after the question, however long after: at once is the worst case, and one step. */
active proctype reader() {
    byte seen_at, fenced_before;
    do
    ::
#ifdef WRONG_CLOCK_BEFORE_REQUEST
        seen_at = now;
        fenced_before = fenced;
#else
        d_step {
            fenced_before = fenced;
            seen_at = now
        }
#endif
        d_step {
            if
            :: seen_at < until ->
                assert(version >= fenced_before);
                assert(version > 0 || committed_at == NEVER || seen_at < committed_at + LEASE)
#ifdef REACH_ADMITS_AFTER_FENCE
                ;
                assert(fenced_before == 0)
#endif
            :: else
            fi;
            seen_at = 0;
            fenced_before = 0
        }
    od
}

/* For the first revocation: looks again and again, and takes the row away when its lease is over. */
active proctype waiter() {
    byte seen_renewal, renewal_now, seen_at, position;
    bool is_there;

    head >= 1;
    do
    ::
        d_step {
            is_there = has_row;
            renewal_now = row_renewal;
            position = row_position
        }
        if
        :: !is_there || position >= 1 -> break
        :: else
        fi;
        if
        :: renewal_now != seen_renewal ->
            seen_renewal = renewal_now;
            seen_at = now
        :: renewal_now == seen_renewal && now - seen_at > LEASE + MARGIN ->
            d_step {
#ifdef WRONG_EXPIRY_UNCONDITIONAL
                has_row = false
#else
                if
                :: row_renewal == seen_renewal -> has_row = false
                :: else
                fi
#endif
            }
#ifdef REACH_ROW_EXPIRES
            assert(has_row);
#endif
        :: else
        fi
    od;
    if
    :: fenced < 1 -> fenced = 1
    :: else
    fi
}

/* For the second: looks once, when there is nothing left to wait for. */
active proctype late_waiter() {
    d_step {
        head >= 2 && (!has_row || row_position >= 2) -> fenced = 2
    }
}
