"""Join: from a token to a service that runs what the cluster has. Each step is told as it is done."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common.ack import NodeAck
from common.errors import ConfigError, RoutecastError
from common.files import read_bytes
from common.trust.credentials import Credentials
from common.trust.token import JoinToken
from subscriber.joining.asking import Unanswered, ask_to_join
from subscriber.joining.before import Was, make_directory, replace
from subscriber.joining.fitness import check_is_good, check_is_no_other, check_machine, check_root, read_current
from subscriber.joining.places import AUTHORITY, CREDENTIALS, PENDING, SETTINGS, Places
from subscriber.joining.record import FOLLOWED, JoinRecord, Pending, read_pending, read_record
from subscriber.joining.removing import put_all_back
from subscriber.joining.service import Service, wait_until_applied
from subscriber.joining.settings import digest_of, read_settings, write_settings
from subscriber.joining.units import SERVICE, unit_files
from subscriber.state import NodeState
from subscriber.targets.blocking import in_thread

AGAIN = "mend that, then run the same command again: the token stays good for this machine"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, or found."""

    what: str
    about: str


Say = Callable[[Step], None]


async def join(token: JoinToken, places: Places, program: Path, say: Say, timeout_s: float) -> None:
    """Make this machine, or the one below another root, the node of a token; what is there already stays.

    Raises:
        ConfigError: the machine cannot be that node, or something cannot be written.
        EditRefused: the control plane does not let it in; everything is as it was.
        BusUnavailable: the control plane cannot be reached, or did not answer.
        TargetFailed: it has joined, but its first snapshot is not applied within `timeout_s`.

    """
    check_root(places, "join -")
    check_machine(places)
    record, current = await in_thread(_look, token, places)
    say(Step("token", f"for the node {token.node}, a {token.role.value}; NATS is at {token.url}"))
    if record is not None and record.token == token.id and current is not None:
        say(Step("unchanged", f"this machine is {token.node} already, with credentials by this token"))
        renewed = False
    else:
        record = await _enter(token, places, say)
        renewed = True
    with _told():
        changed = await in_thread(_install, places, program, record)
    for path in changed:
        say(Step("wrote", str(places.at(path))))
    if not places.here:
        say(Step("service", f"{SERVICE} starts when the machine boots"))
        return
    await in_thread(Service(places).start, anew=renewed or bool(changed))
    say(Step("service", f"{SERVICE} runs, and starts at boot"))
    settings = await in_thread(read_settings, places.at(SETTINGS))
    ack = await wait_until_applied(NodeState(settings.subscriber.state_dir).socket, timeout_s)
    say(Step("applied", _words(ack)))


def _look(token: JoinToken, places: Places) -> tuple[JoinRecord | None, Credentials | None]:
    """Return what there is of a join; it is one of the same node, or none, and the token can be used."""
    places.check(*FOLLOWED)
    record, current = read_record(places), read_current(places)
    check_is_no_other(token, record, current, places)
    read_settings(places.at(SETTINGS))
    if current is not None and (current.name, current.account) != (token.node, token.issuer):
        current = None
    joined = record is not None and record.token == token.id and current is not None
    answered = read_pending(places, token.id)
    if not joined and (answered is None or answered.jwt is None):
        check_is_good(token)
    return record, current


async def _enter(token: JoinToken, places: Places, say: Say) -> JoinRecord:
    """Get credentials, and write them and the settings.

    What was here is remembered, and the key that is asked with kept, before anybody is asked: after a crash, or when
    the answer is lost, the same token is still good for the same key.
    """
    with _told():
        record, pending = await in_thread(_begin, token, places)
    say(Step("key", f"its private half stays in {places.at(PENDING)} until the credentials are there"))
    if pending.jwt is None:
        pending = await _let_in(token, places, pending)
    say(Step("let in", f"the control plane knows this machine as {token.node}"))
    with _told():
        for put in (_put_authority, _put_settings, _put_credentials):
            for step in await in_thread(put, token, places, pending):
                say(step)
        return await in_thread(_finish, token, places, record)


async def _let_in(token: JoinToken, places: Places, pending: Pending) -> Pending:
    """Ask to be let in, and keep the answer; a refusal leaves nothing of us here."""
    try:
        made = await ask_to_join(token, pending.key)
    except Unanswered as e:
        raise Unanswered(
            f"{e}; the control plane may have let this machine in, so its key stays in {places.at(PENDING)}: run the "
            "same command again"
        ) from e
    except RoutecastError:
        await in_thread(_take_back, places)
        raise
    answered = pending.model_copy(update={"jwt": made.jwt})
    with _told():
        await in_thread(answered.write, places)
    return answered


def _begin(token: JoinToken, places: Places) -> tuple[JoinRecord, Pending]:
    """Remember what is here, unless an earlier join has, and keep a key for the token."""
    record, pending = read_record(places), read_pending(places, token.id)
    if record is None:
        settings = read_settings(places.at(SETTINGS))
        record = JoinRecord.now(token.node, token.installation, settings, places)
        record.write(places)
    if pending is None:
        pending = Pending.new(token.id)
        pending.write(places)
    return record, pending


def _take_back(places: Places) -> None:
    """Take away what a join left that was refused; of one that came before it everything stays."""
    places.at(PENDING).unlink(missing_ok=True)
    record = read_record(places)
    if record is not None and record.token is None:
        put_all_back(record, places)


def _put_authority(token: JoinToken, places: Places, _: Pending) -> list[Step]:
    make_directory(places.at(SETTINGS).parent)
    return [] if token.authority is None else [_put(places, AUTHORITY, token.authority.encode(), 0o644)]


def _put_settings(token: JoinToken, places: Places, _: Pending) -> list[Step]:
    changed = write_settings(token, places)
    return [Step("wrote" if changed else "unchanged", str(places.at(SETTINGS)))]


def _put_credentials(_: JoinToken, places: Places, pending: Pending) -> list[Step]:
    """Put them in place last: who has them has all the rest."""
    text = Credentials.of(pending.jwt or "", pending.seed.get_secret_value()).text.get_secret_value()
    return [_put(places, CREDENTIALS, text.encode(), 0o600)]


def _put(places: Places, path: Path, content: bytes, mode: int) -> Step:
    place = places.at(path)
    if Was.at(place).bytes == content:
        return Step("unchanged", str(place))
    replace(place, content, mode)
    return Step("wrote", str(place))


def _finish(token: JoinToken, places: Places, record: JoinRecord) -> JoinRecord:
    """Note that it has joined; the key needs no other place any more."""
    left = digest_of(read_bytes(places.at(SETTINGS)))
    record = record.model_copy(update={"token": token.id, "settings": left})
    record.write(places)
    places.at(PENDING).unlink(missing_ok=True)
    return record


def _install(places: Places, program: Path, record: JoinRecord) -> list[Path]:
    settings = read_settings(places.at(SETTINGS))
    service = Service(places)
    changed = service.install(unit_files(settings.subscriber.target_names, program), record)
    service.enable()
    return changed


def _words(ack: NodeAck) -> str:
    version = f"version {ack.applied.version}" if ack.applied is not None else "nothing"
    return f"{version}, by {', '.join(sorted(ack.targets)) or 'no target'}; the control plane knows"


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raise the system's errors as ours, with how to go on."""
    try:
        yield
    except OSError as e:
        raise ConfigError(f"{e.filename or 'a file'}: {e.strerror or e}; {AGAIN}") from e
