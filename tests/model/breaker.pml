/* SPDX-License-Identifier: BSL-1.0
 *
 * The circuit breaker of include/brownout/breaker as a model for Spin. tests/model/run explores it.
 *
 * A load of a shared word is one step. A compare-and-swap is one step. Between two steps of a thread, other threads take
 * any number of steps, and the clock may move.
 *
 * The names are those of the headers. The detector is consecutive_failures, and the open period is fixed. The model leaves
 * out: probes that decide by rate, metrics_only, disabled, holds that end by themselves, open periods that depend on
 * earlier ones, calls that ride, windows, listeners, the coarse clock, weak memory orders, and compare-and-swaps that
 * fail without a reason. After such a failure a thread repeats what it did, so it acts like a thread that is slower.
 */

/* How much is explored. */
#ifndef CALLERS
#define CALLERS 2 /* threads that call */
#endif
#ifndef CALLS
#define CALLS 2 /* calls of each of them; with LIVE they have no end */
#endif
#ifndef COMMANDS
#define COMMANDS 0 /* commands of an operator: force_open or close */
#endif
#ifndef TIMES
#define TIMES 2 /* how often the clock moves */
#endif
#ifndef GIVE_BACK
#define GIVE_BACK 1 /* whether a permit may be destroyed without a report */
#endif
#ifndef LOSE
#define LOSE 1 /* whether a permit of a half-open circuit may never be settled */
#endif
#ifndef REPORT
#define REPORT 1 /* whether a permit of a half-open circuit may report */
#endif

/* Options of the breaker. */
#ifndef FAILURES
#define FAILURES 1 /* failures in a row that open the circuit */
#endif
#ifndef PROBES
#define PROBES 2 /* probes in flight at once */
#endif
#ifndef SUCCESSES
#define SUCCESSES 2 /* successes that end the probing */
#endif
#ifndef RAMP
#define RAMP 0 /* first limit of the ramp; 0: no ramp */
#endif
#ifndef RAMP_SUCCESSES
#define RAMP_SUCCESSES 2 /* successes in a row that end the ramp */
#endif
#define MOST_LIMIT 3 /* the limit that ends the ramp; 255 in the header */
#define OPEN_FOR 1
#define LEASE 1

/* Numbers that repeat. The header has 2^37 epochs, 128 admissions (16 on the ramp) and 4096 keys. */
#ifndef EPOCHS
#define EPOCHS 256
#endif
#ifndef ADMISSIONS
#define ADMISSIONS 16
#endif
#define KEYS 256

/* control_word.hpp
 *
 *   26..24 state | 23..16 epoch | 15..0 payload
 *   payload, closed:     marks
 *   payload, half-open:  15..12 admissions | 11..8 succeeded | 7..4 limit, on the ramp only | 3..0 in flight
 */
#define CLOSED 0
#define HALF_OPEN 1
#define OPEN 2
#define FORCED_OPEN 3
#define RAMPING 4

#define word_of(state, epoch, payload) ((state) << 24 | ((epoch) % EPOCHS) << 16 | (payload))
#define half_open_of(state, epoch, admissions, succeeded, limit, in_flight) \
  word_of(state, epoch, ((admissions) % ADMISSIONS) << 12 | (succeeded) << 8 | (limit) << 4 | (in_flight))
#define state_of(word) ((word) >> 24)
#define epoch_of(word) ((word) >> 16 & 255)
#define era_of(word) ((word) >> 16) /* state and epoch */
#define marks_of(word) ((word) & 65535)
#define admissions_of(word) ((word) >> 12 & 15)
#define succeeded_of(word) ((word) >> 8 & 15)
#define ramp_limit_of(word) ((word) >> 4 & 15)
#define in_flight_of(word) ((word) & 15)
#define is_half_open(word) (state_of(word) == HALF_OPEN || state_of(word) == RAMPING)
#define without_shortcut(word) ((word) | 65535)
#define key_of(word) ((epoch_of(word) * (ADMISSIONS + 1) + (is_half_open(word) -> admissions_of(word) : 0)) % KEYS)

#define with_marks(word, marks) word_of(state_of(word), epoch_of(word), marks)
#define with_admission(word) half_open_of(state_of(word), epoch_of(word), admissions_of(word) + 1, \
                                          succeeded_of(word), ramp_limit_of(word), in_flight_of(word) + 1)
#define with_give_back(word) ((word) - 1)
#ifdef BUG_SUCCESS_KEEPS_ITS_PLACE
#define with_end(word, succeeded, limit) half_open_of(state_of(word), epoch_of(word), admissions_of(word), \
                                                      succeeded, limit, in_flight_of(word))
#else
#define with_end(word, succeeded, limit) half_open_of(state_of(word), epoch_of(word), admissions_of(word), \
                                                      succeeded, limit, in_flight_of(word) - 1)
#endif
#define with_no_streak(word) half_open_of(state_of(word), epoch_of(word), admissions_of(word), 0, \
                                          ramp_limit_of(word), in_flight_of(word))
#define next_closed(word) word_of(CLOSED, epoch_of(word) + 1, 0)
#define next_open(word) word_of(OPEN, epoch_of(word) + 1, 0)
#define next_forced_open(word) word_of(FORCED_OPEN, epoch_of(word) + 1, 0)
#define next_half_open(word) half_open_of(HALF_OPEN, epoch_of(word) + 1, 1, 0, 0, 1)
#define next_on_ramp(word) half_open_of(RAMPING, epoch_of(word) + 1, 0, 0, RAMP, 0)

/* How many calls a half-open circuit admits at once: recovery::limit() in policy.hpp. */
#define missing(word) (SUCCESSES > succeeded_of(word) -> SUCCESSES - succeeded_of(word) : 1)
#define limit_of(word) (state_of(word) == RAMPING -> ramp_limit_of(word) : \
                        (PROBES < missing(word) -> PROBES : missing(word)))
#define has_room(word) (in_flight_of(word) < limit_of(word))

/* probe_decision.hpp: what follows when a half-open call has ended. */
#define after_probing(word) (RAMP > 0 -> next_on_ramp(word) : next_closed(word))
#define is_ramp_over(word) (succeeded_of(word) + 1 >= RAMP_SUCCESSES || ramp_limit_of(word) + 1 >= MOST_LIMIT)
#define after_bad(word) (state_of(word) == RAMPING && ramp_limit_of(word) > 1 -> \
                         with_end(word, 0, ramp_limit_of(word) - 1) : next_open(word))
#define after_good(word) (state_of(word) == RAMPING -> \
  (is_ramp_over(word) -> next_closed(word) : with_end(word, succeeded_of(word) + 1, ramp_limit_of(word) + 1)) : \
  (succeeded_of(word) + 1 >= SUCCESSES -> after_probing(word) : with_end(word, succeeded_of(word) + 1, 0)))

/* era_value.hpp: the moment at which an era began, with the key of the era. The first era began at 0. */
#define moment_of(key, time) ((key) << 8 | (time))
#define key_in(moment) ((moment) >> 8)
#define time_in(moment) ((moment) & 255)
#define NONE 255 /* no time */
#define REFUSED (-1) /* no permit */

int control = word_of(CLOSED, 0, 0);
int moment = moment_of(0, 0);
byte clock = 0;

#define is_current(era) (era_of(control) == era_of(era) && key_of(control) == key_of(era))

/* What must never happen. A hidden variable is no part of a state; here it gives an assertion its name. */
#define never(event, condition) event = (condition); assert(!event)
hidden byte too_many_probes;     /* a half-open epoch has more calls in flight than its limit */
hidden byte places_miscounted;   /* the word counts other calls in flight than there are */
hidden byte late_effect;         /* a permit of an epoch that is over changes the circuit */
hidden byte half_opened_twice;   /* two threads end one open period */
hidden byte moment_of_other_era; /* a moment is used that is older than the decision for the era, or the era is over */
hidden byte moment_changed;      /* an era has two moments */
hidden byte period_cut_short;    /* an open period ends before OPEN_FOR has passed */
hidden byte lease_cut_short;     /* calls in flight are given up before LEASE has passed */

#ifndef LIVE
/* What no thread reads and only the assertions need. */
byte epoch = 0;       /* as in the word, but it never repeats */
byte probes = 0;      /* calls in flight that the half-open epoch has admitted */
bit is_ended = 1;     /* a thread has ended the latest open period */
byte decided_at = 0;  /* the reading of the clock by which this era was decided */
byte used_moment = 0; /* the moment of this era that a thread has used, or NONE */

inline note_loaded() { seen_epoch = epoch }
/* `next` is about to begin an era; `by_permit`: because a permit is settled. */
inline note_era(by_permit) {
  never(late_effect, by_permit && token_epoch != epoch);
  never(half_opened_twice, state_of(seen) == OPEN && state_of(next) == HALF_OPEN && is_ended);
  never(period_cut_short, state_of(seen) == OPEN && state_of(next) == HALF_OPEN && clock - decided_at < OPEN_FOR);
  never(lease_cut_short, is_half_open(seen) && state_of(next) == HALF_OPEN && era_of(next) != era_of(seen) &&
                         clock - decided_at < LEASE);
  if
  :: era_of(next) == era_of(seen) ->
     probes++;
     never(too_many_probes, probes > limit_of(control))
  :: else ->
     epoch++;
     probes = (is_half_open(next) -> in_flight_of(next) : 0)
  fi;
  never(places_miscounted, is_half_open(next) && probes != in_flight_of(next));
  is_ended = (state_of(next) != OPEN);
  decided_at = now;
  used_moment = NONE;
  seen_epoch = epoch
}
/* `next` is about to follow because of a permit, within the era. */
inline note_result() {
  never(late_effect, token_epoch != epoch);
  if
  :: is_half_open(next) ->
     probes--;
     never(places_miscounted, probes != in_flight_of(next))
  :: else
  fi
}
/* A thread uses `begun` as the moment of `era`. */
inline note_moment(era) {
  never(moment_of_other_era, !is_current(era) || begun < decided_at || begun > clock);
  never(moment_changed, used_moment != NONE && used_moment != begun);
  used_moment = begun
}
inline note_admission() { token_epoch = seen_epoch }
inline note_end() { skip }
#define read_clock() now = clock
#define begin_time() begun = now
#define may_move(clock) (clock < TIMES)
#define reports 0
#define works 0

#else
bit reports = 0; /* from now on every permit is settled by a report, and no call is longer than its lease */
bit works = 0;   /* from now on every call succeeds */
byte calls_in_flight = 0; /* half-open calls that are not lost */
/* With LIVE the clock counts from the moment of the current era to 1, which is OPEN_FOR and LEASE, and epochs repeat. So the
 * model is finite. A reading from before that moment is 0. */
inline note_loaded() { skip }
inline note_era(by_permit) { calls_in_flight = calls_in_flight + (is_half_open(next) && !by_permit -> 1 : 0) }
inline note_result() { skip }
inline note_moment(era) { skip }
inline note_admission() { skip }
inline note_end() { calls_in_flight = calls_in_flight - (token != REFUSED && is_half_open(token) -> 1 : 0) }
#define read_clock() now = (key_in(moment) == key_of(seen) -> clock : 0)
#define begin_time() clock = 0; begun = 0
#define may_move(clock) (clock < TIMES && !(reports && is_half_open(control) && calls_in_flight > 0))
#endif

/* circuit.hpp */

inline load_word() { d_step { seen = control; note_loaded() } }

/* Replaces `seen` by `next`. On failure `seen` becomes the current word. */
inline replace() {
  d_step {
    if
    :: control == seen -> control = next; replaced = true
    :: else -> seen = control; note_loaded(); replaced = false
    fi
  }
}

/* The same because of a permit that ends within the era. */
inline replace_for_permit() {
  d_step {
    if
    :: control == seen -> note_result(); control = next; replaced = true
    :: else -> seen = control; note_loaded(); replaced = false
    fi
  }
}

/* moment::fix(): `begun` becomes the moment of `era`, fixed to `now` if there is none yet. NONE: the era is over. */
inline fix_moment(era) {
  begun = NONE;
  fixed = moment;
  do
  :: d_step {
       if
       :: !is_current(era) -> is_fixed = true
#if defined(BUG_MOMENT_WITHOUT_KEY)
       :: is_current(era) ->
#elif defined(BUG_MOMENT_IS_RENEWED)
       :: false ->
#else
       :: is_current(era) && key_in(fixed) == key_of(era) ->
#endif
          begun = time_in(fixed);
          note_moment(era);
          is_fixed = true
       :: else -> is_fixed = false
       fi
     };
     if
     :: is_fixed -> break
     :: else
     fi;
     d_step {
       if
#ifdef BUG_MOMENT_IS_STORED
       :: true ->
#else
       :: moment == fixed ->
#endif
          begin_time();
          moment = moment_of(key_of(era), begun);
          note_moment(era);
          is_fixed = true
#ifndef BUG_MOMENT_IS_STORED
       :: else -> fixed = moment
#endif
       fi
     };
     if
     :: is_fixed -> break
     :: else
     fi
  od
}

/* `begun` becomes the moment of the era of `seen`. NONE: the era is over, and `seen` is the current word. The header first
 * looks at the moment without is_current(). A thread that sleeps before fix_moment() has the same effect. */
inline observe() {
#ifndef BUG_CLOCK_BEFORE_WORD
  read_clock();
#endif
  fix_moment(seen);
  if
  :: begun == NONE -> load_word()
  :: else -> now = (now > begun -> now : begun)
  fi
}

/* Replaces `seen`, which was observed, by `next`, which begins another era. On failure `seen` becomes the current word. */
inline begin_era(by_permit) {
  d_step {
    if
#ifdef BUG_ADMISSION_IS_STORED
    :: control == seen || era_of(next) == era_of(seen) ->
#elif defined(BUG_HALF_OPEN_IS_STORED)
    :: control == seen || state_of(seen) == OPEN ->
#else
    :: control == seen ->
#endif
       note_era(by_permit); control = next; replaced = true
    :: else -> seen = control; note_loaded(); replaced = false
    fi
  };
  if
  :: replaced -> fix_moment(next)
  :: else
  fi
}

/* circuit_breaker_admission.hpp */

#ifdef BUG_PERIOD_IS_IGNORED
#define is_period_over true
#else
#define is_period_over (now - begun >= OPEN_FOR)
#endif
#if defined(BUG_LEASE_IS_IGNORED)
#define is_lease_over true
#elif defined(BUG_NO_LEASE)
#define is_lease_over false
#else
#define is_lease_over (now - begun >= LEASE)
#endif
#ifdef BUG_LEASE_KEEPS_THE_EPOCH
#define after_lost_calls(word) with_admission(word)
#else
#define after_lost_calls(word) next_half_open(word)
#endif
/* The word that admits a call to an open or half-open circuit, or 0. */
#define with_call(word) (state_of(word) == OPEN -> (is_period_over -> next_half_open(word) : 0) : \
                         (has_room(word) -> with_admission(word) : (is_lease_over -> after_lost_calls(word) : 0)))
#define loses_streak(word) (state_of(word) == RAMPING && succeeded_of(word) > 0 && with_call(word) == 0)

/* `token` becomes the word of the permit, or REFUSED. */
inline acquire() {
  token = REFUSED;
#ifdef BUG_CLOCK_BEFORE_WORD
  read_clock();
#endif
  load_word();
  do
  :: state_of(seen) == CLOSED ->
     token = (marks_of(seen) == 0 -> seen : without_shortcut(seen));
     break
  :: state_of(seen) == FORCED_OPEN -> break
  :: else ->
     observe();
     if
     :: begun == NONE
     :: begun != NONE && loses_streak(seen) ->
        next = with_no_streak(seen);
        replace();
        if
        :: replaced -> break
        :: else
        fi
     :: begun != NONE && !loses_streak(seen) ->
        next = with_call(seen);
        if
        :: next == 0 -> break
        :: else -> begin_era(false)
        fi;
        if
        :: replaced -> token = without_shortcut(next); break
        :: else
        fi
     fi
  od;
  note_admission()
}

/* circuit_breaker_results.hpp */

#if defined(BUG_NO_EPOCH_CHECK)
#define is_late(word) (state_of(word) != state_of(token))
#elif defined(BUG_EPOCH_REPEATS)
#define is_late(word) (state_of(word) != state_of(token) || epoch_of(word) % 2 != epoch_of(token) % 2)
#else
#define is_late(word) (era_of(word) != era_of(token))
#endif

/* record_call(): in a closed circuit, consecutive_failures counts. */
inline record_call() {
  if
  :: failed && marks_of(seen) + 1 >= FAILURES ->
     observe();
     if
     :: begun == NONE -> replaced = false
     :: else -> next = next_open(seen); begin_era(true)
     fi
  :: failed && marks_of(seen) + 1 < FAILURES -> next = with_marks(seen, marks_of(seen) + 1); replace_for_permit()
  :: !failed && marks_of(seen) > 0 -> next = with_marks(seen, 0); replace_for_permit()
  :: !failed && marks_of(seen) == 0 -> replaced = true /* nothing changes */
  fi
}

/* record_probe(): in a half-open circuit. */
inline record_probe() {
  next = (failed -> after_bad(seen) : after_good(seen));
  if
  :: era_of(next) == era_of(seen) -> replace_for_permit()
  :: else ->
     observe();
     if
     :: begun == NONE -> replaced = false
     :: else -> begin_era(true)
     fi
  fi
}

/* A success first compares the word with that of the permit: if both are equal, nothing changes. */
inline record() {
  if
  :: !failed && control == token
  :: else ->
     load_word();
     do
     :: is_late(seen) -> break
     :: else ->
        if
        :: state_of(seen) == CLOSED -> record_call()
        :: else -> record_probe()
        fi;
        if
        :: replaced -> break
        :: else
        fi
     od
  fi
}

#ifdef BUG_GIVE_BACK_OF_ANY_EPOCH
#define may_give_back(word) is_half_open(word)
#else
#define may_give_back(word) (is_half_open(word) && era_of(word) == era_of(token))
#endif

inline give_back() {
  load_word();
  do
  :: may_give_back(seen) ->
     next = with_give_back(seen);
     replace_for_permit();
     if
     :: replaced -> break
     :: else
     fi
  :: else -> break
  od
}

/* What an operation keeps to itself. It is forgotten when the operation ends, so that fewer states differ. */
#ifdef LIVE
#define LOCALS int token, seen, next, fixed; byte now, begun; bit replaced, is_fixed
#define forget() atomic { \
  token = 0; seen = 0; next = 0; fixed = 0; now = 0; begun = 0; replaced = 0; is_fixed = 0 }
#else
#define LOCALS int token, seen, next, fixed; byte now, begun, seen_epoch, token_epoch; bit replaced, is_fixed
#define forget() atomic { \
  token = 0; seen = 0; next = 0; fixed = 0; now = 0; begun = 0; seen_epoch = 0; token_epoch = 0; \
  replaced = 0; is_fixed = 0 }
#endif

active [CALLERS] proctype Caller() {
  LOCALS;
  bit failed;
#ifndef LIVE
  byte calls;
#endif
  do
#ifdef LIVE
  :: true ->
#else
  :: calls == CALLS -> break
  :: calls < CALLS -> calls++;
#endif
     acquire();
     if
     :: token == REFUSED
     :: token != REFUSED && (REPORT || !is_half_open(token)) ->
        if
        :: failed = false
        :: !works -> failed = true
        fi;
        record()
     :: token != REFUSED && GIVE_BACK && !reports -> give_back()
     :: token != REFUSED && LOSE && !reports && is_half_open(token)
     fi;
     note_end();
     forget()
  od
}

active proctype Clock() {
end:
  do
  :: may_move(clock) -> clock++
  od
}

#if COMMANDS > 0
active proctype Operator() {
  LOCALS;
  byte commands, command;
  do
  :: commands == COMMANDS -> break
  :: commands < COMMANDS ->
     commands++;
     if
     :: command = FORCED_OPEN
     :: command = CLOSED
     fi;
     load_word();
     do
     :: command == FORCED_OPEN && state_of(seen) == FORCED_OPEN -> break
     :: else ->
        observe();
        if
        :: begun == NONE -> replaced = false
        :: else ->
           next = (command == CLOSED -> next_closed(seen) : next_forced_open(seen));
           begin_era(false)
        fi;
        if
        :: replaced -> break
        :: else
        fi
     od;
     forget()
  od
}
#endif

#ifdef LIVE
/* It may take any time, but not for ever. */
active proctype Dependency() {
  reports = 1;
#ifdef RECOVERS
  works = 1
#endif
}

/* An open circuit is half-open at some time. */
ltl open_ends { [] (state_of(control) == OPEN -> <> is_half_open(control)) }
/* A probing circuit is not probing at some time, if from some time on every permit is settled by a report. */
ltl probing_ends { [] (state_of(control) == HALF_OPEN -> <> (state_of(control) != HALF_OPEN)) }
/* The circuit is closed for ever from some time on, if from some time on every call succeeds. */
ltl recovers { <> [] (state_of(control) == CLOSED) }
#endif
