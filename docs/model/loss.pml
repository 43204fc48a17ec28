/* A validator without a database (latchkey-validator --upstream) that may be the only one to know what the database
 * has lost: its feeder was started again, and knows what there is now.
 *
 * Lane and history are one list of changes here, each with a mark of its own. The database may lose its newest ones and
 * go on with others. The feeder may be started again, on all that the database has or, from a file, on less. The fed one
 * remembers the last change that it has applied, over every load. Where it can't go on from there it has the database
 * asked, through its feeder, whether that change is in the history; it takes what it loads if it was asked again after
 * the load, and if that reaches as far as what it remembers. A change that is missing is reported with the marks of all
 * that were lost with it, and of the last one before them that is there; once an operator has settled that, these are
 * given up, and nothing else: from then on that last one is what it remembers, and asks about.
 *
 * Leases are not told of here (feed.pml): whoever is served is served by what the fed one has.
 *
 * Nobody is served without a change that the fed one has ever applied, but for what was given up.
 */
#define LENGTH 2    /* of the history */
#define MARKS 4     /* changes that are committed */
#define LOSSES 2
#define STARTS 2    /* of the feeder, after the first */

#define BIT(m) (1 << (m))

/* The database. */
byte head, mark[3];     /* of the change at each place; 0 = none */
byte committed;         /* so far */
byte settled;           /* marks that reports told of, of those that are settled */
byte reported;          /* the same of the one that is open; 0 = none is */
byte before[5];         /* of each mark that was reported: the last one before it that was there; 0 = none */

/* The feeder's memory. */
byte feed = 1;          /* another each time that it starts */
byte feeder_head, feeder_mark[3];

/* The fed one's memory. */
byte fed_from;          /* the feed that it follows */
byte fed_head, fed_mark[3];
byte last, last_mark;   /* the last change that it has applied: its place and mark; 0 = none yet */
byte loaded_head, loaded_mark[3], loaded_from;

byte known;             /* all marks that the fed one has ever applied; nobody looks here but the reader */
byte given_up;          /* of those, what was settled while it was missing */

#define IS_IN_DATABASE(place, m) (place <= head && mark[place] == m)
#define HAS(m) (mark[1] == m || mark[2] == m)

active proctype writer() {
    do
    :: d_step { committed < MARKS && head < LENGTH ->
           committed++;
           head++;
           mark[head] = committed
       }
    od
}

active proctype restorer() {
    byte losses;
    do
    :: d_step { losses < LOSSES && head > 0 ->
           losses++;
           mark[head] = 0;
           head--
       }
    od
}

active proctype feeder() {
    byte starts;
    do
    :: d_step { feeder_head <= head && (feeder_head == 0 || mark[feeder_head] == feeder_mark[feeder_head]) &&
                feeder_head < head ->
           feeder_head++;
           feeder_mark[feeder_head] = mark[feeder_head]
       }
    :: d_step { starts < STARTS ->
           starts++;
           feed++;
           feeder_head = head;
           feeder_mark[1] = mark[1];
           feeder_mark[2] = mark[2]
       }
    :: d_step { starts < STARTS && head > 0 ->
           starts++;
           feed++;
           feeder_head = head - 1;
           feeder_mark[head] = 0;
           feeder_mark[1] = (feeder_head >= 1 -> mark[1] : 0);
           feeder_mark[2] = 0
       }
    od
}

inline remember() {
    known = known | (fed_mark[1] -> BIT(fed_mark[1]) : 0) | (fed_mark[2] -> BIT(fed_mark[2]) : 0);
    if
    :: fed_head > 0 ->
        last = fed_head;
        last_mark = fed_mark[fed_head]
    :: else
    fi
}

inline take_loaded() {
    fed_from = loaded_from;
    fed_head = loaded_head;
    fed_mark[1] = loaded_mark[1];
    fed_mark[2] = loaded_mark[2];
    remember()
}

#define IS_KEPT (last == 0 || IS_IN_DATABASE(last, last_mark))
#ifdef WRONG_ANY_SETTLEMENT_WILL_DO
#define IS_SETTLED (settled != 0)
#else
#define IS_SETTLED (settled & BIT(last_mark))
#endif
#ifdef WRONG_FORGETS_OVER_A_LOAD
#define IS_BEHIND false
#else
#define IS_BEHIND (loaded_head < last)
#endif

#define LOST(place) (fed_mark[place] && !IS_IN_DATABASE(place, fed_mark[place]) -> BIT(fed_mark[place]) : 0)

/* In the database, in one transaction. */
inline ask() {
    d_step {
        if
        :: IS_KEPT -> answer = 1
        :: !IS_KEPT && IS_SETTLED ->
#ifndef WRONG_FORGETS_WHEN_SETTLED
            last_mark = before[last_mark];
            last = (last_mark -> 1 : 0);
#else
            last_mark = 0;
            last = 0;
#endif
            answer = 1
        :: !IS_KEPT && !IS_SETTLED ->
            answer = 0;
            reported = LOST(1) | LOST(2) | BIT(last_mark);
            before[last_mark] = (fed_mark[1] && IS_IN_DATABASE(1, fed_mark[1]) -> fed_mark[1] : 0);
            if
            :: fed_mark[1] && last_mark != fed_mark[1] && LOST(1) -> before[fed_mark[1]] = 0
            :: else
            fi
        fi
    }
}

active proctype fed() {
    bool answer;
    do
    :: d_step { fed_from == feed && feeder_head > fed_head ->     /* a run */
           fed_head++;
           fed_mark[fed_head] = feeder_mark[fed_head];
           remember()
       }
    :: fed_from != feed ->
        answer = 1;
#ifndef WRONG_FORGETS_OVER_A_LOAD
        ask();
#endif
        d_step {
            loaded_from = feed;
            loaded_head = feeder_head;
            loaded_mark[1] = feeder_mark[1];
            loaded_mark[2] = feeder_mark[2]
        }
#if !defined(WRONG_FORGETS_OVER_A_LOAD) && !defined(WRONG_ASKS_BEFORE_THE_LOAD_ONLY)
        if
        :: answer -> ask()
        :: else
        fi;
#endif
        d_step {
            if
            :: answer && loaded_from == feed &&
#ifdef WRONG_TAKES_WHAT_LAGS
               true
#else
               !IS_BEHIND
#endif
               -> take_loaded()
            :: else
            fi;
            answer = 0;
            loaded_from = 0;
            loaded_head = 0;
            loaded_mark[1] = 0;
            loaded_mark[2] = 0
        }
    od
}

active proctype operator() {
    do
    :: d_step { reported != 0 ->
           settled = settled | reported;
           given_up = given_up | reported;
           reported = 0
       }
    od
}

#define LACKS(m) ((known & BIT(m)) && !(given_up & BIT(m)) && fed_mark[1] != m && fed_mark[2] != m)

active proctype reader() {
    do
    :: assert(!LACKS(1) && !LACKS(2) && !LACKS(3) && !LACKS(4))
#ifdef REACH_SERVES_ANOTHER_HISTORY_ONCE_SETTLED
    :: assert(!(given_up && fed_head > 0 && fed_mark[1] != 1))
#endif
#ifdef REACH_FED_KNOWS_WHAT_IS_LOST
    :: assert(!(fed_head == 2 && head == 1))
#endif
    od
}
