"""From the problems of the registry to the Kubernetes Events that tell them. Pure; reads and writes none itself.

One problem is one Warning Event on its ConfigMap, by a name that follows from the problem: whoever writes it, and
however often, it stays one. While the problem lasts the Event is written again before the cluster forgets it; a Normal
Event beside it says when the problem is gone. What was told before is read from the cluster, never remembered: so
restarts and several publishers agree.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from common.problems import Problem, Severity

MOST = 50
"""How many problems are told one by one, errors first; of the others only how many there are."""
REFRESH_AFTER = timedelta(minutes=30)
"""How old an Event becomes before it is written again: the API server forgets it an hour after its last write."""
TEXT_MAX = 1024
"""The longest text of an Event, in bytes (NoteLengthLimit in pkg/apis/core/validation/events.go)."""

_TICK = timedelta(seconds=1)
"""What the times of an Event are exact to."""
_MENDED = ".mended"
_MORE = ".more"
_MEND = "; mend: "
_CUT = "…"


class Reason(StrEnum):
    """What an Event says of its ConfigMap."""

    ERROR = "RegistryError"
    WARNING = "RegistryWarning"
    MORE = "RegistryProblems"
    """There are more problems than are told one by one."""
    MENDED = "RegistryMended"


@dataclass(frozen=True, slots=True)
class Event:
    """An Event of ours, as it stands in the cluster or is to be written."""

    name: str
    document: str
    """ConfigMap and key, as in a problem; the ConfigMap alone when no key is meant."""
    reason: Reason
    text: str
    uid: str | None
    """The ConfigMap's, by which `kubectl describe` finds the Event; None when there is no such ConfigMap."""
    first: datetime
    last: datetime
    count: int
    resource_version: str | None = None
    """None: it does not exist yet."""

    @property
    def config_map(self) -> str:
        """The name of the ConfigMap that it is about."""
        return config_map(self.document)

    @property
    def warns(self) -> bool:
        """Whether its type is Warning; else it is Normal."""
        return self.reason is not Reason.MENDED


@dataclass(frozen=True, slots=True)
class _Statement:
    """What an Event is to say, whenever and however often."""

    name: str
    document: str
    reason: Reason
    text: str


def config_map(document: str) -> str:
    """Return the ConfigMap of a problem's document."""
    return document.partition("/")[0]


def open_warnings(current: Sequence[Event]) -> list[Event]:
    """Return the Events that say that something is wrong, and were not followed by one that says it is mended."""
    known = {event.name: event for event in current}
    return [event for event in current if event.warns and not _is_closed(event, known.get(event.name + _MENDED))]


def plan(
    current: Sequence[Event], problems: Sequence[Problem], uids: Mapping[str, str | None], now: datetime
) -> list[Event]:
    """Return the Events to write, so that the cluster tells `problems`; none when it does so already.

    `current` are all Events of ours; `uids` those of the ConfigMaps that exist, of those that `problems` and the open
    warnings of `current` are about.
    """
    now = now.replace(microsecond=0)
    known = {event.name: event for event in current}
    statements = _statements(problems)
    writes = []
    for said in statements:
        uid = uids.get(config_map(said.document))
        write = _tell(said, known.get(said.name), known.get(said.name + _MENDED), uid, now)
        if write is not None:
            writes.append(write)
    lasting = {_name(problem) for problem in problems} | {said.name for said in statements}
    hidden = _hidden(problems)
    gone = (event for event in open_warnings(current) if event.name not in lasting and event.document not in hidden)
    writes += [_close(event, known.get(event.name + _MENDED), uids.get(event.config_map), now) for event in gone]
    return writes


def _statements(problems: Sequence[Problem]) -> list[_Statement]:
    """Return what is to be told of the problems, the same problem once."""
    ranked = sorted(
        {_name(problem): problem for problem in problems}.items(),
        key=lambda named: named[1].severity is not Severity.ERROR,
    )
    statements = [
        _Statement(name, problem.document, Reason[problem.severity.name], _text(problem))
        for name, problem in ranked[:MOST]
    ]
    left_out = Counter(config_map(problem.document) for _, problem in ranked[MOST:])
    for name, count in left_out.items():
        said = f"{count} more {'problem' if count == 1 else 'problems'}{_MEND}`routecast problems` lists all of them"
        statements.append(_Statement(name + _MORE, name, Reason.MORE, said))
    return statements


def _tell(said: _Statement, event: Event | None, closed: Event | None, uid: str | None, now: datetime) -> Event | None:
    """Return the Event to write so that `said` is told; None when `event` tells it."""
    at = now if closed is None else max(now, closed.last + _TICK)
    if event is None:
        return Event(said.name, said.document, said.reason, said.text, uid, at, at, 1)
    uid = uid or event.uid
    if _is_closed(event, closed) or now - event.last >= REFRESH_AFTER:
        return replace(event, text=said.text, uid=uid, last=at, count=event.count + 1)
    if uid != event.uid or (said.reason is Reason.MORE and said.text != event.text):
        return replace(event, text=said.text, uid=uid)
    return None


def _close(event: Event, closed: Event | None, uid: str | None, now: datetime) -> Event:
    """Return the Event to write so that `event` counts as mended: always later than it, in whole seconds."""
    at, uid = max(now, event.last + _TICK), uid or event.uid
    if closed is not None:
        return replace(closed, uid=uid, last=at, count=closed.count + 1)
    what = event.text.rpartition(_MEND)[0] or event.text
    text = _cut(f"mended: {what}", TEXT_MAX)
    return Event(event.name + _MENDED, event.document, Reason.MENDED, text, uid, at, at, 1)


def _is_closed(event: Event, closed: Event | None) -> bool:
    return closed is not None and closed.last >= event.last


def _hidden(problems: Sequence[Problem]) -> set[str]:
    """Return the documents in which nobody can tell what became of an entry: they cannot be read."""
    unreadable = {each.document for each in problems if each.entry is None and each.severity is Severity.ERROR}
    return unreadable | {config_map(document) for document in unreadable}


def _name(problem: Problem) -> str:
    """Return the name of a problem's Event; what mends it is no part of what it is."""
    identity = json.dumps([problem.severity, problem.document, problem.entry, problem.message])
    return f"{config_map(problem.document)}.{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _text(problem: Problem) -> str:
    """Return one line; when it is too long, the message is cut. A command stands there whole or not at all."""
    key = problem.document.partition("/")[2]
    where = " ".join(part for part in (key, "" if problem.entry is None else repr(problem.entry)) if part)
    said = _line(f"{where}: {problem.message}" if where else problem.message)
    mend = _line(f"{_MEND}{problem.mend}") if problem.mend else ""
    if len(mend.encode()) > TEXT_MAX // 2:
        mend = f"{_MEND}`routecast problems` has the command"
    return _cut(said, TEXT_MAX - len(mend.encode())) + mend


def _line(text: str) -> str:
    """Return a text that changes no line and no colour of a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` bytes."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT
