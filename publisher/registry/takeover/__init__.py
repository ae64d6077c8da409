"""Taking over the registry of the replaced system: what `import` finds, what it writes, what it leaves to people. Pure.

Mends only how things are written. The publisher derives the same names and the same public routes before and after;
what only a person can decide is found, and stays as it is.
"""

from publisher.registry.takeover.edit import find, take_over
from publisher.registry.takeover.findings import Finding, FindingKind, Findings

__all__ = ["Finding", "FindingKind", "Findings", "find", "take_over"]
