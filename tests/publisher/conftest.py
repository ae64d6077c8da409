"""The world that a publisher is tested in."""

from tests.features.conftest import world

__all__ = ["world"]
