"""The ``[log]`` section."""

from typing import Literal

from common.settings.section import Section


class LogSettings(Section):
    """How and how much is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious level that is logged."""
    format: Literal["logfmt", "json"] = "logfmt"
    """`logfmt` (key=value, for people and journald) or `json` (for collectors)."""
