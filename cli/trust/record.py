"""What a rotation remembers of its way, beside the seeds: from which snapshot on answers count. No secret."""

from pydantic import ValidationError

from common import log
from common.codec import canonical
from common.errors import ConfigError
from common.files import read_bytes
from common.models import Frozen
from publisher.signing_files import SeedFiles

_log = log.get(__name__)


class Record(Frozen):
    """The first snapshot that named some keys, and the nodes that are left behind knowingly."""

    keys: tuple[str, ...]
    """The keys that it named; the last one is that which the rotation leads to."""
    streams: str
    """Which streams the sequences are of: a server that was wiped counts anew."""
    stream_seq: int
    """Of that snapshot."""
    acks_after: int
    """Sequence of the last answer that was stored before it."""
    without: tuple[str, ...] = ()

    def holds(self, keys: tuple[str, ...], streams: str, newest_seq: int) -> bool:
        """Tell whether answers still count from here on, when `keys` are named and the newest snapshot is that one."""
        return (self.keys, self.streams) == (keys, streams) and self.stream_seq <= newest_seq


def read_record(files: SeedFiles, leads_to: str) -> Record | None:
    """Return what the rotation to the key `leads_to` remembers; None when that is nothing."""
    try:
        body = read_bytes(files.record)
        record = Record.model_validate_json(body) if body is not None else None
    except (OSError, ValidationError) as e:
        _log.warning("what the rotation remembers is not used", path=str(files.record), error=str(e))
        return None
    return record if record is not None and record.keys[-1:] == (leads_to,) else None


def write_record(files: SeedFiles, record: Record) -> None:
    """Keep `record`; where nobody can write, this run alone counts answers."""
    if files.read_only:
        return
    try:
        files.write_record(canonical(record.model_dump(mode="json")))
    except ConfigError as e:
        _log.warning("a rotation that is interrupted will ask every node again", error=str(e))
