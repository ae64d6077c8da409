"""What each kind of client may say and hear on the bus (FACTS 4): the least that it needs. Pure."""

from collections.abc import Mapping
from typing import Any

from common import subjects

NODE_PAYLOAD = 64 * 1024
"""The largest message that a node may send, in bytes: what bounds the acks that it can store."""
JOIN_PAYLOAD = 4 * 1024
REPLY_S = 300
"""How long an answer to a request may take, in s: a publisher's round may have to wait for the source."""

_API = "$JS.API"
_STREAMS = (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS)
_KEEPING = ("INFO", "CREATE", "UPDATE", "MSG.GET")
_NAME = "{{name()}}"
"""What the server puts in: the name in the user's token, which only a holder of the signing key can write."""

NODES_PREFIX = "CORE"
"""What stands for `$JS.API` in the nodes' account, whose own JetStream is off."""

EXPORTS: Mapping[str, tuple[str, str]] = {
    "fetch": (f"{_API}.CONSUMER.MSG.NEXT.{subjects.REGISTRY}.*", "Stream"),
    "newest": (f"{_API}.DIRECT.GET.{subjects.REGISTRY}.{subjects.SNAPSHOT}", "Singleton"),
    "settle": (f"$JS.ACK.{subjects.REGISTRY}.>", "Singleton"),
    "record": (subjects.ACK_ALL, "Singleton"),
    "join": (subjects.JOIN_ALL, "Singleton"),
}
"""The services of the core account that the nodes' account imports: subject, and how many answers one may have."""


def node() -> dict[str, Any]:
    """Return the template of a node: its own durable, the newest snapshot, its own acks and records."""
    durable = subjects.durable(_NAME)
    return _user(
        pub=[
            f"{NODES_PREFIX}.CONSUMER.MSG.NEXT.{subjects.REGISTRY}.{durable}",
            f"{NODES_PREFIX}.DIRECT.GET.{subjects.REGISTRY}.{subjects.SNAPSHOT}",
            f"$JS.ACK.{subjects.REGISTRY}.{durable}.>",
            subjects.ack(_NAME),
        ],
        sub=[f"{subjects.inbox(_NAME)}.>"],
        payload=NODE_PAYLOAD,
    )


def joining() -> dict[str, Any]:
    """Return the template of a machine with a join token: one question, on the subject of that token."""
    return _user(pub=[subjects.join(_NAME)], sub=[f"{subjects.inbox(_NAME)}.>"], payload=JOIN_PAYLOAD)


def publisher(name: str) -> dict[str, Any]:
    """Return the permissions of a publisher: it alone writes snapshots, history and status, and keeps streams."""
    return _user(
        pub=[
            subjects.SNAPSHOT,
            subjects.HISTORY_ALL,
            subjects.STATUS_ALL,
            *(
                f"{_API}.STREAM.{verb}.{stream}"
                for verb in ("INFO", "CREATE", "UPDATE", "MSG.GET")
                for stream in _STREAMS
            ),
            *(f"{_API}.STREAM.PURGE.{stream}" for stream in (subjects.ACKS, subjects.STATUS)),
            *(f"{_API}.DIRECT.GET.{stream}.>" for stream in _STREAMS),
            f"{_API}.CONSUMER.CREATE.{subjects.REGISTRY}.*.{subjects.SNAPSHOT}",
            *(f"{_API}.CONSUMER.{verb}.{subjects.REGISTRY}" for verb in ("LIST", "NAMES")),
            *(f"{_API}.CONSUMER.{verb}.{subjects.REGISTRY}.*" for verb in ("INFO", "DELETE")),
        ],
        sub=[subjects.CONTROL, subjects.JOIN_ALL, f"{subjects.inbox(name)}.>"],
        answers=True,
    )


def operator(name: str) -> dict[str, Any]:
    """Return the permissions of who looks and asks: everything can be read, a publisher can be asked."""
    return _user(
        pub=[
            subjects.CONTROL,
            *(f"{_API}.STREAM.{verb}.{stream}" for verb in ("INFO", "MSG.GET") for stream in _STREAMS),
            *(f"{_API}.DIRECT.GET.{stream}{which}" for which in ("", ".>") for stream in _STREAMS),
            *(f"{_API}.CONSUMER.{verb}.{subjects.REGISTRY}" for verb in ("LIST", "NAMES")),
            f"{_API}.CONSUMER.INFO.{subjects.REGISTRY}.*",
        ],
        sub=[subjects.ACK_ALL, f"{subjects.inbox(name)}.>"],
    )


def system(name: str, nodes_account: str) -> dict[str, Any]:
    """Return the permissions of who renews the nodes' account: that, and nothing else of the system account."""
    claims = f"$SYS.REQ.ACCOUNT.{nodes_account}.CLAIMS"
    return _user(pub=[f"{claims}.UPDATE", f"{claims}.LOOKUP"], sub=[f"{subjects.inbox(name)}.>"])


def _user(pub: list[str], sub: list[str], *, payload: int = -1, answers: bool = False) -> dict[str, Any]:
    limits = {"subs": -1, "data": -1, "payload": payload}
    permissions: dict[str, Any] = {"pub": {"allow": pub}, "sub": {"allow": sub}}
    if answers:
        permissions["resp"] = {"max": 1, "ttl": REPLY_S * 1_000_000_000}
    return {**limits, **permissions}
