"""All settings: one TOML file and ``ROUTECAST_<SECTION>_<NAME>`` environment variables, read once, validated.

One class a section; the text under each field is its documentation (``docs/settings.md`` is made from it).
"""

from common.settings.load import Settings, load

__all__ = ["Settings", "load"]
