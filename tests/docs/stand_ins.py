"""Stand-ins for what a machine of the walkthrough has and a test has not: root, systemd, Docker, cron.

`sudo` runs what follows; a machine that joins or leaves does so below its own folder, and one that allows a zone has
its service reloaded, which the command does only for settings in their usual place. `systemctl` starts and stops our
services as processes, `docker-compose` starts a nats-server with what `routecast init` made, `crontab` keeps a file.
"""

import os
import signal
import time
from pathlib import Path

_SUDO = """#!/usr/bin/env bash
set -eu
case "$1 ${2-} ${3-}" in
    'routecast join '*)
        routecast join --root "$MACHINE" "${@:3}"
        systemctl enable --now routecast-subscriber
        ;;
    'routecast leave '*)
        systemctl disable --now routecast-subscriber
        routecast leave --root "$MACHINE" "${@:3}"
        ;;
    'routecast subscriber allow')
        "$@"
        systemctl reload routecast-subscriber
        ;;
    *) exec env "$@" ;;
esac
"""
_SYSTEMCTL = """#!/usr/bin/env bash
set -eu
verb=$1 unit=${!#}
case $unit in
    routecast-*) what=${unit#routecast-} ;;
    *) exit 0 ;;
esac
pid=$MACHINE/$what.pid
case $verb in
    enable) nohup routecast "$what" run >>"$MACHINE/$what.log" 2>&1 & echo $! | tee "$pid" >>"$PIDS" ;;
    disable)
        kill "$(cat "$pid")"
        while grep -q '^State:.[^Z]' "/proc/$(cat "$pid")/status" 2>/dev/null; do sleep 0.05; done
        rm "$pid"
        ;;
    reload) kill -HUP "$(cat "$pid")" ;;
    status) kill -0 "$(cat "$pid")" && echo "$unit is running" ;;
esac
"""
_DOCKER_COMPOSE = """#!/usr/bin/env bash
set -eu
access=$MACHINE/etc/routecast/nats/access.conf
nohup "$NATS_SERVER" -js -a 127.0.0.1 -p "$NATS_PORT" -sd "$MACHINE/nats" -c "$access" >"$MACHINE/nats.log" 2>&1 &
echo $! >>"$PIDS"
until (: >"/dev/tcp/127.0.0.1/$NATS_PORT") 2>/dev/null; do
    kill -0 $!
    sleep 0.05
done
"""
_CRONTAB = """#!/usr/bin/env bash
file=$MACHINE/crontab
if [ "$1" = -l ]; then cat "$file"; else cat >"$file.new" && mv "$file.new" "$file"; fi
"""
_ALL = {"sudo": _SUDO, "systemctl": _SYSTEMCTL, "docker-compose": _DOCKER_COMPOSE, "crontab": _CRONTAB}


def lay_out(folder: Path) -> None:
    """Write them, to be put in front of PATH. They need MACHINE, PIDS, NATS_SERVER and NATS_PORT. Blocking."""
    folder.mkdir()
    for name, text in _ALL.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def stop(pids: Path) -> None:
    """End what they started, by the file in which they noted that. Blocking."""
    started = [int(line) for line in pids.read_text().split()]
    for pid in started:
        _kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while any(_kill(pid, 0) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in started:
        _kill(pid, signal.SIGKILL)


def _kill(pid: int, number: int) -> bool:
    """Send a signal; tell whether there is such a process (one that ended and was not waited for counts as gone)."""
    try:
        os.kill(pid, number)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
