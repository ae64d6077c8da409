"""Problems: what is wrong in the source data, where, and the command that mends it."""

from enum import StrEnum

from common.models import Frozen


class Severity(StrEnum):
    """`error`: the entry or document is not used as written. `warning`: it is, without the item named."""

    ERROR = "error"
    WARNING = "warning"


class Problem(Frozen):
    """One fault of one entry."""

    severity: Severity
    document: str
    """ConfigMap and key, as ``service-registry/services.json``."""
    entry: str | None
    """The entry in it; None when the whole document is meant."""
    message: str
    mend: str
    """A command, ready to paste."""

    def __str__(self) -> str:
        where = self.document if self.entry is None else f"{self.document} {self.entry!r}"
        return f"{self.severity}: {where}: {self.message}"
