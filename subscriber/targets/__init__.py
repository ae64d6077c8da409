"""What a subscriber writes: one module a target, loaded when a node uses it."""

from subscriber.targets.build import build_targets

__all__ = ["build_targets"]
