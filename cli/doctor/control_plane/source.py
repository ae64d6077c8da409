"""Judge the registry's source. Pure."""

from collections.abc import Iterator, Sequence

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject, listed
from cli.doctor.control_plane.source_facts import DocumentSeen, Rights, SourceSeen
from cli.show.drawing import tally
from common.errors import AccessDenied, ConfigError
from common.problems import Problem, Severity
from common.status import PublisherStatus, SourceState

SOURCE = Subject(Part.CONTROL_PLANE, "registry source")
RIGHTS = Subject(Part.CONTROL_PLANE, "rights")
PROBLEMS = Subject(Part.CONTROL_PLANE, "problems")

_SHOWN = 3
_UNREAD = "the registry is not read here"


def judge_source(seen: SourceSeen, alive: Sequence[PublisherStatus]) -> Iterator[Check]:
    """Yield the checks of the source; `alive` are the publishers that were heard of just now."""
    if isinstance(seen.read, Fault):
        yield _no_source(seen, seen.read)
        yield RIGHTS.skip(_UNREAD)
        yield judge_problems(alive[0].problems, "routecast problems") if alive else PROBLEMS.skip(_UNREAD)
        return
    yield SOURCE.ok(f"{seen.where}, answers")
    yield judge_rights(seen.rights, alive)
    for document in seen.read.documents:
        yield judge_document(document, seen.options)
    yield judge_problems(seen.read.problems, f"routecast lint{seen.options}")


def _no_source(seen: SourceSeen, fault: Fault) -> Check:
    if not isinstance(fault.error, ConfigError):
        return SOURCE.fail(str(fault), seen.look)
    if seen.named:
        return SOURCE.fail(str(fault), "routecast config show")
    return SOURCE.skip(f"none is configured here: {fault}", "routecast config show")


def judge_rights(seen: Rights | Fault, alive: Sequence[PublisherStatus]) -> Check:
    """Return the check of the rights: a publisher that reads everything has them, whoever asks here."""
    if isinstance(seen, Fault):
        return RIGHTS.fail(str(seen), "kubectl auth whoami") if _denied(seen) else RIGHTS.skip(str(seen))
    if not seen.missing:
        return RIGHTS.ok(f"{seen.whose} may do all that the publisher needs ({seen.needed} rights)")
    what = f"{seen.whose} may not: {listed(seen.missing, len(seen.missing))}"
    if any(_reads_all(status) for status in alive):
        return RIGHTS.warn(f"{what}; a publisher reads everything all the same, perhaps as another user", seen.grant)
    return RIGHTS.fail(f"{what}; the publisher needs that, if it is the same user", seen.grant)


def _denied(fault: Fault) -> bool:
    return isinstance(fault.error, AccessDenied)


def _reads_all(status: PublisherStatus) -> bool:
    states = [document.state for document in status.sources.values()]
    return bool(states) and all(state is SourceState.READABLE for state in states)


def judge_document(seen: DocumentSeen, options: str) -> Check:
    """Return the check of one document."""
    subject = Subject(Part.CONTROL_PLANE, f"document {seen.name}")
    match seen.state:
        case SourceState.READABLE:
            return subject.ok("readable")
        case SourceState.MISSING:
            return subject.fail(
                "is missing; what was published of it stays", f"routecast init --registry-only{options}"
            )
        case _:
            return subject.fail(f"cannot be read: {seen.why}", seen.edit)


def judge_problems(problems: Sequence[Problem], command: str) -> Check:
    """Return the check of what is wrong in the registry; `command` lists all of it."""
    if not problems:
        return PROBLEMS.ok("none")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    first = listed([str(problem) for problem in errors or problems], _SHOWN)
    what = f"{tally(problems)}: {first}"
    return PROBLEMS.fail(what, command) if errors else PROBLEMS.warn(what, command)
