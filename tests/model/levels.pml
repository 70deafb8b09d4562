/* SPDX-License-Identifier: BSL-1.0
 *
 * The levels of include/brownout/level, and the word in which requests read them, as a model for Spin. tests/model/run
 * explores it.
 *
 * The steps of the supervisor and the commands of an operator run one at a time, under the supervisor's lock. Requests take
 * no lock: they read the published word at any moment. A load is one step, and a store is one step. The clock may move and
 * the score may change at any time.
 *
 * The names are those of the headers. The model leaves out: relapses, unknown scores, dry runs, freezes, features that
 * return one after another, replaced options, and weak memory orders. Level 0 is the best one.
 */

/* How much is explored. */
#ifndef STEPS
#define STEPS 4 /* steps of the supervisor */
#endif
#ifndef COMMANDS
#define COMMANDS 1 /* commands of an operator */
#endif
#ifndef READERS
#define READERS 1 /* requests */
#endif
#ifndef READS
#define READS 2 /* views that each of them takes */
#endif
#ifndef TIMES
#define TIMES 4 /* how often the clock moves */
#endif

/* level_policy.hpp */
#define WORST 2
#define DWELL 2
#define CONFIRM_FOR 1
#define LASTS 2      /* how long an override holds */
#define LAST_READY 1 /* the worst level of a ready instance */
#define UNTIL_ASSESSED 0

/* level_ladder.hpp: scores are 0 to 5. A level is left below from(), and a better level is reached again at needed_for(). */
#define MOST 5
#define from(level) (4 - 2 * (level))
#define needed_for(level) (from(level) + 1)
#define level_at(score) ((score) >= from(0) -> 0 : ((score) >= from(1) -> 1 : 2))

/* degradation_word.hpp, without features that return:   3..2 level | 1..0 dependencies that refuse calls */
#define view_of(level, refusing) ((level) << 2 | (refusing))
#define level_of(view) ((view) >> 2)
#define refusing_of(view) ((view) & 3)

#define NONE 255 /* no time, no level */

byte clock = 0;
bit lock = 0;
byte published = view_of(UNTIL_ASSESSED, 0);
bit ready = 0;
#ifdef BUG_TWO_WORDS
byte published_refusing = 0;
#endif

/* level_controller.hpp, under the lock */
byte health = UNTIL_ASSESSED;
bit is_assessed = 0;
byte worse_since = NONE;
byte better_since = NONE;
byte override = NONE; /* the level of the override */
bit is_cap = 0;       /* whether the override is a cap, not a pin */
byte expires = 0;
byte score = 0;
byte refusing = 0;
byte last_view = view_of(UNTIL_ASSESSED, 0);

/* What must never happen. A hidden variable is no part of a state; here it gives an assertion its name. */
#define never(event, condition) event = (condition); assert(!event)
hidden byte mixed_view;      /* a request sees the level of one step and the dependencies of another */
hidden byte two_steps_up;    /* the level gets better by more than one step at a time */
hidden byte no_dwell;        /* the level gets better, and the score was not high enough for the whole dwell */
hidden byte fell_late;       /* the score was too low for CONFIRM_FOR, and the level is no worse */
hidden byte above_cap;       /* a request sees a level better than a cap, or another level than a pin, that holds */
hidden byte override_stays;  /* a step leaves an override that has expired */
hidden byte ready_too_early; /* an instance is ready at a level that does not allow it, or that was only assumed */

/* What no thread reads and only the assertions need. */
byte shown = view_of(UNTIL_ASSESSED, 0); /* what was published last */
byte good_since = NONE; /* since when each step saw a score that allows the next better level */
byte bad_since = NONE;  /* since when each step saw a score below the level */
byte held = NONE;       /* the level of an override whose command has returned */
bit held_is_cap = 0;
bit shows_assumed = 1; /* the published level is only assumed */

/* override_.over(health_) */
#ifdef BUG_CAP_IS_FORGOTTEN
#define in_force() (override == NONE || is_cap -> health : override)
#else
#define in_force() (override == NONE || (is_cap && health > override) -> health : override)
#endif

inline note_score() {
  if
  :: is_assessed && score < from(health) -> bad_since = (bad_since == NONE -> clock : bad_since)
  :: else -> bad_since = NONE
  fi;
  if
  :: is_assessed && health > 0 && score >= needed_for(health - 1) -> good_since = (good_since == NONE -> clock : good_since)
  :: else -> good_since = NONE
  fi
}
/* `before`: the level before the step. */
inline note_level(before) {
  never(two_steps_up, health + 1 < before);
  never(no_dwell, health < before && (good_since == NONE || clock - good_since < DWELL));
  never(fell_late, bad_since != NONE && clock - bad_since >= CONFIRM_FOR && health < level_at(score));
  never(override_stays, override != NONE && clock >= expires);
  if
  :: health != before ->
     bad_since = NONE;
     good_since = (health < before && health > 0 && score >= needed_for(health - 1) -> clock : NONE)
  :: else
  fi
}

#ifdef BUG_TWO_STEPS_UP
#define better(level) level_at(score)
#else
#define better(level) ((level) - 1)
#endif
#ifdef BUG_SLOW_FALL
#define fall_from(level) ((level) + 1)
#else
#define fall_from(level) level_at(score)
#endif
#ifdef BUG_NO_DWELL
#define is_dwell_over true
#else
#define is_dwell_over (clock - better_since >= DWELL)
#endif

/* follow() and climb(), for a known score. */
inline update() {
  before = health;
  note_score();
  if
  :: !is_assessed ->
     is_assessed = true;
     health = level_at(score);
     before = health
  :: is_assessed && level_at(score) > health ->
     better_since = NONE;
     worse_since = (worse_since == NONE -> clock : worse_since);
     if
     :: clock - worse_since >= CONFIRM_FOR -> health = fall_from(health); worse_since = NONE
     :: else
     fi
  :: is_assessed && level_at(score) <= health ->
     worse_since = NONE;
     if
     :: health == 0 || score < needed_for(health - 1) -> better_since = NONE
     :: else ->
        better_since = (better_since == NONE -> clock : better_since);
        if
        :: is_dwell_over ->
           health = better(health);
           better_since = (health > 0 && score >= needed_for(health - 1) -> clock : NONE)
        :: else
        fi
     fi
  fi;
#ifndef BUG_OVERRIDE_STAYS
  if
  :: override != NONE && clock >= expires -> override = NONE
  :: else
  fi;
#endif
  note_level(before);
  held = (override == NONE -> NONE : held)
}

/* system_core::publish(). Each store is a step of its own. */
inline store_view() {
  d_step {
    last_view = view_of(in_force(), refusing);
    published = last_view;
#ifndef BUG_TWO_WORDS
    shown = last_view;
#endif
    shows_assumed = (!is_assessed && override == NONE)
  };
#ifdef BUG_TWO_WORDS
  d_step { published_refusing = refusing; shown = last_view }
#endif
}
inline publish() {
  d_step { is_ready = (is_assessed || override != NONE) && in_force() <= LAST_READY };
#ifdef BUG_READY_IS_STORED_FIRST
  ready = is_ready;
  store_view();
#else
  if
  :: !is_ready -> ready = 0
  :: else
  fi;
  store_view();
  if
  :: is_ready -> ready = 1
  :: else
  fi;
#endif
  is_ready = 0
}
inline acquire_lock() { d_step { !lock -> lock = 1 } }

active proctype Supervisor() {
  byte steps, before;
  bit is_ready;
  do
  :: steps == STEPS -> break
  :: steps < STEPS ->
     steps++;
     acquire_lock();
     select(score : 0 .. MOST);
     select(refusing : 0 .. 1);
     d_step { update(); before = 0 };
     publish();
     lock = 0
  od
}

active proctype Operator() {
  byte commands, level;
  bit is_ready;
  do
  :: commands == COMMANDS -> break
  :: commands < COMMANDS ->
     commands++;
     select(level : 0 .. WORST);
     acquire_lock();
     if
     :: d_step { override = level; is_cap = 1; expires = clock + LASTS; held = NONE }
     :: d_step { override = level; is_cap = 0; expires = clock + LASTS; held = NONE }
     :: d_step { override = NONE; held = NONE }
     fi;
     publish();
     /* The command returns. */
     d_step { held = override; held_is_cap = is_cap; lock = 0; level = 0 }
  od
}

active proctype Clock() {
end:
  do
  :: clock < TIMES -> clock++
  od
}

active [READERS] proctype Request() {
  byte reads, view;
  do
  :: reads == READS -> break
  :: reads < READS ->
     reads++;
     if
     :: /* supervisor::features() */
#ifdef BUG_TWO_WORDS
        view = level_of(published);
        d_step {
          view = view_of(view, published_refusing);
#else
        d_step {
          view = published;
#endif
          never(mixed_view, view != shown);
          never(above_cap, held != NONE && (level_of(view) < held || (!held_is_cap && level_of(view) != held)))
        }
     :: /* supervisor::ready() */
        d_step { never(ready_too_early, ready && (shows_assumed || level_of(published) > LAST_READY)) }
     fi;
     view = 0
  od
}
