"""What the replaced system leaves outside the registry, and the commands that end it. Pure; nothing is looked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.nodes import LISTS
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import cleaned, read_object
from publisher.registry.draft import NODES
from publisher.source.document import Document


@dataclass(frozen=True, slots=True)
class Outside:
    """One thing that is still there, where, and the commands that end it."""

    what: str
    where: str
    commands: tuple[str, ...]


_CRON = "crontab -l | grep -v sync-dns | grep -v sync-vps-routes | crontab -"
_SERVICE = "mynodeone-sync-controller"


def outside(documents: Mapping[str, Document]) -> tuple[Outside, ...]:
    """Return it in the order in which it is ended; `documents` know where it logged in, and as whom."""
    logins = ", ".join(ssh_logins(documents)) or "each node"
    return (
        Outside(
            "cron jobs that write names and routes",
            "on the control plane and on each node, as each user who has them",
            (_CRON, f"sudo sh -c '{_CRON}'"),
        ),
        Outside(
            "the sync controller, which pushes over SSH",
            "on the control plane",
            (f"sudo systemctl disable --now {_SERVICE}",),
        ),
        Outside(
            "its service file, and its copy of the nodes",
            "on the control plane",
            (
                f"sudo rm -f /etc/systemd/system/{_SERVICE}.service && sudo systemctl daemon-reload",
                "rm -f ~/.mynodeone/node-registry.json",
            ),
        ),
        Outside(
            "the SSH key that it pushed with: take its line out, unless you log in with it yourself",
            f"on {logins}",
            ("${EDITOR:-vi} ~/.ssh/authorized_keys",),
        ),
        Outside(
            "its names in the hosts file, its routes for Traefik",
            "on each node, when its subscriber runs",
            ("sudo routecast subscriber adopt",),
        ),
    )


def ssh_logins(documents: Mapping[str, Document]) -> tuple[str, ...]:
    """Return ``user@address`` of every node that the registry has a user for."""
    root = read_object(Places(documents, first_contact=True).at(*NODES)) or {}
    found: dict[str, None] = {}
    for field in LISTS:
        for item in root[field] if isinstance(root.get(field), list) else ():
            user = item.get("ssh_user") if isinstance(item, dict) else None
            address = readable_address(item.get("ip")) if isinstance(item, dict) else None
            if isinstance(user, str) and cleaned(user) and address is not None:
                found[f"{cleaned(user)}@{address}"] = None
    return tuple(found)
