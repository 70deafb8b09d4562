# shellcheck shell=bash
# SPDX-License-Identifier: BSL-1.0
#
# What the server scripts share: commands, ports, processes and their end. A script sets `server` and defines
#   require   exits when a program is missing (see require_programs)
#   create    makes the files that outlive a restart, in $home
#   launch    starts the processes, with `spawn`, on $port
#   ready     is true once an authenticated request is answered as it should be
#   wiring    prints the KEY=VALUE lines
# and may set stop_signal and define `seed` (once, after the first start), `strays` (processes of this server that are no
# longer below one it started) and `sweep` (what a killed server leaves outside of $home).
set -euo pipefail
umask 077

script=$(readlink -f "$0")
root=$(cd "${script%/*}/../../.." && pwd)
dir=
home= # $dir/$server: all four servers can share one DIR
port=
secret=
stop_signal=TERM

complain() { echo "$server: $*" >&2; }
strays() { :; }
seed() { :; }
sweep() { :; }

usage() {
  cat << END
$server start DIR [PORT] [--owner PID]   start on loopback, print the environment that leads to it
$server restart DIR                      start again, same port, same data, same secret
$server stop DIR                         stop it, whatever state it is in
$server pids DIR                         print every process of it
$server env DIR                          print that environment again

start returns when an authenticated request has been answered. Everything lives in DIR/$server. Without PORT a free one
is taken. With --owner the server ends, and DIR/$server goes, when that process does.
Exit status: 1 it did not start or stop, 2 wrong usage, 3 a program is missing, 77 skipped: Node is too old.
END
}

require_programs() {
  local program
  for program in "$@"; do
    command -v "$program" > /dev/null && continue
    complain "$program is missing; run: cmake/install-dependencies servers"
    exit 3
  done
}

# Prints the start time of a process that has not ended; a zombie has.
started_at() {
  local stat
  { read -r stat < "/proc/$1/stat"; } 2> /dev/null || return 1
  # The second field, the program's name, may hold anything, closing brackets included.
  read -ra stat <<< "${stat##*) }"
  [ "${stat[0]}" != Z ] && echo "${stat[19]}"
}

is_same() { [ "$(started_at "$1")" = "$2" ]; }

# A process is remembered as its number and its start time: the number alone may belong to a stranger by now.
remember() { # FILE PID
  local started
  started=$(started_at "$2") || started=0 # it has ended already; nothing starts at 0
  echo "$2 $started" >> "$home/$1"
}

# Prints the processes of FILE that still run.
remembered() {
  local pid started
  [ -r "$home/$1" ] || return 0
  while read -r pid started; do
    ! is_same "$pid" "$started" || echo "$pid"
  done < "$home/$1"
}

# Runs COMMAND as a process of this server, in a session of its own: no signal to the caller's group or terminal
# reaches it, and it keeps none of the caller's files open (a pipe that stays open is a caller who waits for ever).
spawn() { # LOG COMMAND...
  local log=$1
  shift
  (
    cd "$home"
    for fd in "/proc/$BASHPID/fd/"*; do
      fd=${fd##*/}
      ((fd <= 2)) || eval "exec $fd>&-"
    done
    exec setsid "$@" < /dev/null >> "$log" 2>&1
  ) &
  # Without a place to remember it (the owner is gone, and DIR with it), it must not stay.
  remember processes $! || { kill -KILL $!; exit 1; }
}

# Prints every process of this server: those it started, all below them, and strays.
processes() {
  local -A parent=() member=()
  local file stat pid grown=yes
  for file in /proc/[0-9]*/stat; do
    { read -r stat < "$file"; } 2> /dev/null || continue
    pid=${file//[!0-9]/}
    read -ra stat <<< "${stat##*) }"
    [ "${stat[0]}" = Z ] || parent[$pid]=${stat[1]}
  done
  for pid in $(remembered processes) $(strays); do member[$pid]=1; done
  while [ -n "$grown" ]; do
    grown=
    for pid in "${!parent[@]}"; do
      [ -z "${member[${parent[$pid]}]:-}" ] || [ -n "${member[$pid]:-}" ] || member[$pid]=1 grown=yes
    done
  done
  ((${#member[@]} == 0)) || printf '%s\n' "${!member[@]}" | sort -n
}

# Ends every process: asks, wakes those that are stopped so that they can hear it, and insists after three seconds.
stop_processes() {
  local pid all asked=$SECONDS
  [ -d "$home" ] || return 0
  for pid in $(processes); do remember ending "$pid"; done
  all=$(remembered ending)
  signal "$stop_signal" "$(remembered processes)"
  signal CONT "$all"
  while all=$({ remembered ending && processes; } | sort -u) && [ -n "$all" ]; do
    ((SECONDS - asked < 3)) || signal KILL "$all"
    ((SECONDS - asked < 15)) || { complain "cannot be stopped: processes ${all//$'\n'/ }"; return 1; }
    sleep 0.02
  done
  rm -f "$home/processes" "$home/ending"
  sweep
}

signal() { # NAME PIDS
  # shellcheck disable=SC2086  # a list of numbers
  [ -z "$2" ] || kill -s "$1" $2 2> /dev/null || true
}

# The time-out is for a stopped process whose queue of connections is full.
is_in_use() { timeout 1 bash -c "exec 3<> /dev/tcp/127.0.0.1/$1" 2> /dev/null || [ $? = 124 ]; }

# Below the range the kernel hands out to outgoing connections, which would collide without listening. A server with
# several ports has to say which it has chosen: they are not in use yet, and some servers share a port silently.
free_port() { # [PORT TO AVOID]...
  local candidate
  while :; do
    candidate=$((20000 + (RANDOM << 15 | RANDOM) % 12000))
    [[ " $* " == *" $candidate "* ]] || is_in_use "$candidate" || break
  done
  echo "$candidate"
}

random_secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Waits for the server to answer; false when one of its processes has ended or a minute has passed.
wait_until_ready() {
  local deadline=$((SECONDS + 60)) expected
  expected=$(wc -l < "$home/processes")
  until ready > /dev/null 2>> "$home/ready.log"; do
    [ "$(remembered processes | wc -l)" = "$expected" ] || { reason='a process of it has ended'; return 1; }
    ((SECONDS < deadline)) || { reason='no right answer within a minute'; return 1; }
    sleep 0.1
  done
}

collided() { grep -qiE 'address already in use|EADDRINUSE|could not bind' "$home"/*.log; }

run_processes() {
  : > "$home/processes"
  rm -f "$home"/*.log
  launch
  wait_until_ready
}

give_up() { # MESSAGE
  complain "$1"
  tail -n 10 "$home"/*.log 2> /dev/null | cut -c 1-300 >&2 || true
  stop_watcher
  stop_processes
  exit 1
}

publish() {
  echo "$port" > "$home/port"
  wiring > "$home/env"
  cat "$home/env"
}

start() {
  local wanted=$port attempt reason=
  require
  [ -z "$(processes)" ] || { complain "already runs in $dir, on port $(cat "$home/port")"; exit 1; }
  stop_watcher
  rm -rf "$home"
  mkdir -p "$home"
  secret=$(random_secret)
  echo "$secret" > "$home/secret"
  trap 'give_up "interrupted"' INT TERM HUP
  [ -z "$owner" ] || watch_owner
  if [ -n "$wanted" ] && is_in_use "$wanted"; then give_up "port $wanted is in use"; fi
  create || give_up "could not create its files"
  for attempt in 1 2 3 4 5; do
    port=${wanted:-$(free_port)}
    if run_processes; then
      seed > /dev/null 2>> "$home/ready.log" || give_up "could not be filled with its first data"
      publish
      return
    fi
    # Between looking at a port and taking it, somebody else can.
    collided && [ -z "$wanted" ] && ((attempt < 5)) || break
    stop_processes
  done
  give_up "did not start on port $port: $reason"
}

restart() {
  local reason=
  [ -r "$home/port" ] || { complain "was never started in $dir"; exit 2; }
  require
  secret=$(cat "$home/secret")
  port=$(cat "$home/port")
  stop_processes
  ! is_in_use "$port" || give_up "port $port is in use"
  run_processes || give_up "did not start again on port $port: $reason"
  publish
}

stop() {
  [ -d "$home" ] || return 0
  stop_watcher
  stop_processes
  local deadline=$((SECONDS + 5))
  [ ! -r "$home/port" ] || while is_in_use "$(cat "$home/port")"; do
    ((SECONDS < deadline)) || { complain "stopped, but port $(cat "$home/port") is still in use"; exit 1; }
    sleep 0.02
  done
}

watch_owner() {
  local started
  started=$(started_at "$owner") || { complain "--owner: there is no process $owner"; exit 2; }
  setsid "$script" watch "$dir" "$owner" "$started" < /dev/null > /dev/null 2>&1 &
  remember watcher $!
}

# The body of the watcher.
outlive() { # OWNER STARTED
  while is_same "$1" "$2"; do
    [ -d "$home" ] || exit 0
    sleep 0.5
  done
  stop_processes
  rm -rf "$home"
  rmdir "$dir" 2> /dev/null || true
}

stop_watcher() {
  signal KILL "$(remembered watcher)"
  rm -f "$home/watcher"
}

take_options() {
  while (($# > 0)); do
    case $1 in
      --owner)
        owner=${2:-}
        [[ $owner =~ ^[1-9][0-9]*$ ]] || { complain "--owner needs a process number"; exit 2; }
        shift 2
        ;;
      *)
        [[ -z $port && $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= 65535)) || { usage >&2; exit 2; }
        port=$1
        shift
        ;;
    esac
  done
}

main() {
  local command=${1:-} owner=
  case $command in
    -h | --help) usage; exit ;;
    start | restart | stop | pids | env | watch) [ -n "${2:-}" ] || { usage >&2; exit 2; } ;;
    *) usage >&2; exit 2 ;;
  esac
  [ "$command" != start ] || mkdir -p "$2"
  dir=$(readlink -m "$2")
  home=$dir/$server
  shift 2
  case $command in
    start) take_options "$@"; start ;;
    restart) restart ;;
    stop) stop ;;
    pids) processes ;;
    env) cat "$home/env" 2> /dev/null || { complain "was never started in $dir"; exit 2; } ;;
    watch) outlive "$@" ;;
  esac
}
