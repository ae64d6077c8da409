"""What the control plane says, in NATS' tokens: of its accounts, and of everybody who may connect. Pure.

Three accounts. `SYS` is the server's own. `CORE` has JetStream: publishers and operators. `NODES` has none, only the
few services of `CORE` that it imports: there a node cannot make the server write where it may not write itself (FACTS
4a: replies to a request are published by the server, and nobody checks where to).
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any

from common.trust.jwt import issue
from common.trust.nkeys import KeyPair
from publisher.trust import permissions
from publisher.trust.keyring import Keyring

PUBLISHER, OPERATOR, SYSTEM = "publisher", "operator", "system"
"""The names of the users that are no nodes."""

_UNLIMITED = {
    "subs": -1,
    "data": -1,
    "payload": -1,
    "imports": -1,
    "exports": -1,
    "wildcards": True,
    "conn": -1,
    "leaf": -1,
}
_JETSTREAM = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}


def operator_token(keys: Keyring, at: datetime) -> str:
    """Return what the operator says of itself: the root of all trust in the server's configuration."""
    return issue(
        keys.operator,
        keys.operator.public,
        "routecast",
        {"type": "operator", "system_account": keys.system.public},
        at,
    )


def system_token(keys: Keyring, at: datetime) -> str:
    """Return the token of the system account."""
    return issue(keys.operator, keys.system.public, "SYS", {"type": "account", "limits": _UNLIMITED}, at)


def core_token(keys: Keyring, at: datetime) -> str:
    """Return the token of the account with JetStream."""
    exports = [
        {"name": name, "subject": subject, "type": "service", "response_type": answers}
        for name, (subject, answers) in permissions.EXPORTS.items()
    ]
    claims = {"type": "account", "limits": {**_UNLIMITED, **_JETSTREAM}, "exports": exports}
    return issue(keys.operator, keys.core.public, "CORE", claims, at)


def nodes_token(keys: Keyring, at: datetime, revoked: Mapping[str, int]) -> str:
    """Return the token of the nodes' account; `revoked` is public key -> until when its tokens are void, in s."""
    imports = [
        {
            "name": name,
            "subject": subject,
            "account": keys.core.public,
            "local_subject": _local(subject),
            "type": "service",
        }
        for name, (subject, _) in permissions.EXPORTS.items()
    ]
    claims: dict[str, Any] = {
        "type": "account",
        "limits": _UNLIMITED,
        "imports": imports,
        "signing_keys": [
            _scope("node", keys.node_scope.public, permissions.node()),
            _scope("joining", keys.join_scope.public, permissions.joining()),
        ],
    }
    if revoked:
        claims["revocations"] = dict(revoked)
    return issue(keys.operator, keys.nodes.public, "NODES", claims, at)


def node_user(keys: Keyring, name: str, key: str, at: datetime) -> str:
    """Return the token with which the owner of `key` is the node `name`, until it is revoked."""
    return _scoped(keys, keys.node_scope, name, key, at)


def joining_user(keys: Keyring, token_id: str, key: str, at: datetime, expires: datetime) -> str:
    """Return the token with which the owner of `key` may ask to join, until `expires`."""
    return _scoped(keys, keys.join_scope, token_id, key, at, expires)


def publisher_user(keys: Keyring, key: str, at: datetime) -> str:
    """Return a publisher's token."""
    return issue(keys.core, key, PUBLISHER, {"type": "user", **permissions.publisher(PUBLISHER)}, at)


def operator_user(keys: Keyring, key: str, at: datetime) -> str:
    """Return the token of who looks and asks."""
    return issue(keys.core, key, OPERATOR, {"type": "user", **permissions.operator(OPERATOR)}, at)


def system_user(keys: Keyring, key: str, at: datetime) -> str:
    """Return the token of who renews the nodes' account."""
    claims = {"type": "user", **permissions.system(SYSTEM, keys.nodes.public)}
    return issue(keys.system, key, SYSTEM, claims, at)


def _scoped(keys: Keyring, scope: KeyPair, name: str, key: str, at: datetime, expires: datetime | None = None) -> str:
    return issue(scope, key, name, {"type": "user", "issuer_account": keys.nodes.public}, at, expires)


def _scope(role: str, key: str, template: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "user_scope", "key": key, "role": role, "template": dict(template)}


def _local(subject: str) -> str:
    """Return what the nodes call a service of the core account: JetStream's have another prefix there."""
    head, api, rest = subject.partition("$JS.API.")
    return f"{permissions.NODES_PREFIX}.{_numbered(rest)}" if api else _numbered(head)


def _numbered(subject: str) -> str:
    """Return a subject whose wildcards are written as a mapping has them: `$1`, `$2`; a tail stays."""
    numbers = count(1)
    return ".".join(f"${next(numbers)}" if part == "*" else part for part in subject.split("."))
