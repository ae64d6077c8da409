"""What must hold before a join touches anything: who runs it, systemd, and a Python that the service can see."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import common
from common.clock import now
from common.errors import ConfigError
from common.trust.credentials import Credentials, read_credentials
from common.trust.token import JoinToken
from subscriber.joining.places import CREDENTIALS, SETTINGS, Places
from subscriber.joining.record import JoinRecord
from subscriber.joining.settings import values_of

_BOOTED = Path("/run/systemd/system")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""What the unit does not see (ProtectHome=)."""
_PLAIN = re.compile(r"[A-Za-z0-9/._+@-]+")

_OWN_PLACE = """\
give it a place of its own, from the folder with its source, then join with that:
  sudo /usr/bin/python3 -m venv --clear /opt/routecast
  sudo /opt/routecast/bin/pip install -c constraints.txt .
  sudo /opt/routecast/bin/routecast join -"""


def check_root(places: Places, command: str) -> None:
    """Refuse who may not do it.

    Raises:
        ConfigError: this machine is meant, and who runs it is not root.

    """
    if places.here and os.geteuid() != 0:
        raise ConfigError(f"only root can do this; run: sudo routecast {command}")


def check_machine(places: Places) -> None:
    """Refuse a machine that cannot run the service.

    Raises:
        ConfigError: it has no systemd.

    """
    if places.here and not has_systemd():
        raise ConfigError(
            "this machine is not run by systemd, so there is no service to install; for the files alone, as of an "
            "image: routecast join --root DIR -"
        )


def has_systemd() -> bool:
    """Tell whether systemd runs this machine (sd_booted(3))."""
    return _BOOTED.is_dir()


def own_program() -> Path:
    """Return the program that the service shall start: the one that runs now.

    Raises:
        ConfigError: a service could not see it, or its Python.

    """
    program = Path(sys.argv[0]).resolve()
    parts = (program, Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), Path(common.__file__))
    home = below_home(part.resolve() for part in parts)
    if home is not None:
        raise ConfigError(f"{home} lies in a home directory, which the service cannot see; {_OWN_PLACE}")
    if program.name != "routecast" or not os.access(program, os.X_OK) or not _PLAIN.fullmatch(str(program)):
        raise ConfigError(f"{program} is not a program that a service can start; {_OWN_PLACE}")
    return program


def below_home(paths: Iterable[Path]) -> Path | None:
    """Return the first path that lies in a home directory. Pure."""
    return next((path for path in paths if any(path.is_relative_to(home) for home in _HOMES)), None)


def read_current(places: Places) -> Credentials | None:
    """Return the credentials that this machine has, None when there are none, or none that can be used. Blocking."""
    try:
        return read_credentials(places.at(CREDENTIALS))
    except ConfigError:
        return None


def check_is_no_other(token: JoinToken, record: JoinRecord | None, current: Credentials | None, places: Places) -> None:
    """Refuse a machine that is another node already. Blocking.

    Raises:
        ConfigError: it is.

    """
    if record is not None:
        if record.node != token.node:
            raise ConfigError(_other(f"the node {record.node!r}", token))
        if record.installation != token.installation:
            raise ConfigError(_other(f"a node of another installation, {record.installation}", token))
        return
    if current is not None and current.name != token.node:
        raise ConfigError(
            f"{places.at(CREDENTIALS)} is of {current.name!r}, and the token is for {token.node!r}; take it away first"
        )
    named = values_of(places.at(SETTINGS)).get("subscriber", {}).get("node")
    if named not in (None, token.node):
        raise ConfigError(
            f"{places.at(SETTINGS)} says that this machine is the node {named!r}, and the token is for {token.node!r}: "
            "take subscriber.node out of it, or have a token made for that name"
        )


def _other(who: str, token: JoinToken) -> str:
    return f"this machine has joined as {who}, and the token is for {token.node!r}; run `sudo routecast leave` first"


def check_is_good(token: JoinToken) -> None:
    """Refuse a token whose time is over.

    Raises:
        ConfigError: it is.

    """
    if now() >= token.expires:
        raise ConfigError(
            f"the join token expired at {token.expires:%Y-%m-%d %H:%M:%SZ} (this machine's clock says "
            f"{now():%Y-%m-%d %H:%M:%SZ}); have a new one made on the control plane with `routecast node add`"
        )
