"""What identifies a snapshot, without its registry: as a value, and for people. Pure."""

from dataclasses import dataclass
from datetime import datetime

from rich.table import Table

from cli.console import cell
from cli.text import age, when
from common.snapshot import Hold, Reason, Snapshot, SourceInfo


@dataclass(frozen=True, slots=True)
class Head:
    """A snapshot without its registry."""

    installation: str
    epoch: int
    version: int
    digest: str
    reason: Reason
    created_at: datetime
    published_at: datetime
    republish_every_s: int
    hold: Hold | None
    sources: dict[str, SourceInfo]


def head_of(snapshot: Snapshot) -> Head:
    """Return what identifies a snapshot."""
    return Head(
        installation=snapshot.installation,
        epoch=snapshot.epoch,
        version=snapshot.version,
        digest=snapshot.digest,
        reason=snapshot.reason,
        created_at=snapshot.created_at,
        published_at=snapshot.published_at,
        republish_every_s=snapshot.republish_every_s,
        hold=snapshot.hold,
        sources=snapshot.sources,
    )


def head_rows(rows: Table, head: Head, now: datetime) -> None:
    """Add the rows of a head to a table of pairs."""
    rows.add_row("version", cell(f"{head.version} of epoch {head.epoch}"))
    rows.add_row("digest", cell(head.digest))
    rows.add_row("created", cell(when(head.created_at, now)))
    rows.add_row("published", cell(f"{when(head.published_at, now)}, reason {head.reason}"))
    rows.add_row("republished", cell(f"every {age(head.republish_every_s)}"))
    if head.hold is not None:
        rows.add_row("held", cell(f"at version {head.hold.of_version} by {head.hold.by}"))
    for name, info in sorted(head.sources.items()):
        rows.add_row("source", cell(f"{name}{describe_source(info)}"))
    rows.add_row("installation", cell(head.installation))


def describe_source(info: SourceInfo) -> str:
    """Return which form of a document it was and who changed it."""
    return "".join(
        f" {word} {value}"
        for word, value in (
            ("at", info.resource_version),
            ("by", info.changed_by),
        )
        if value is not None
    )


def changed_by(before: Snapshot | None, after: Snapshot) -> list[str]:
    """Return which documents changed between two snapshots, and who changed them; all of them without a first one."""
    sources = before.sources if before is not None else {}
    return [
        f"{name} by {info.changed_by}" if info.changed_by else name
        for name, info in sorted(after.sources.items())
        if _differs(sources.get(name), info)
    ]


def _differs(before: SourceInfo | None, after: SourceInfo) -> bool:
    """Tell whether a document is in another form; its resource version says so, if it has one."""
    if before is None or after.resource_version is None:
        return before != after
    return before.resource_version != after.resource_version
