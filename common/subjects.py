"""The names on the bus (DESIGN 5). Fixed: both ends, permissions and operators' tools rely on them."""

REGISTRY = "REGISTRY"
HISTORY = "HISTORY"
ACKS = "ACKS"
STATUS = "STATUS"

SNAPSHOT = "registry.snapshot"
CONTROL = "registry.control"
CONTROL_QUEUE = "publisher"

HISTORY_ALL = "registry.history.*.*"
ACK_ALL = "registry.ack.*"
STATUS_ALL = "registry.status.*"
JOIN_ALL = "registry.join.*"


def history(epoch: int, version: int) -> str:
    """Return the subject that keeps one version."""
    return f"registry.history.{epoch}.{version}"


def ack(node: str) -> str:
    """Return the subject of a node's ack records."""
    return f"registry.ack.{node}"


def status(instance: str) -> str:
    """Return the subject of a publisher's status."""
    return f"registry.status.{instance}"


def durable(node: str) -> str:
    """Return the name of a node's durable consumer."""
    return f"node-{node}"


def join(token_id: str) -> str:
    """Return the subject on which a machine with a join token asks for its credentials."""
    return f"registry.join.{token_id}"


def inbox(user: str) -> str:
    """Return what the subjects begin with on which a user with credentials hears answers."""
    return f"_INBOX_{user}"
