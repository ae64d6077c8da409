"""The way through the pages: which machine types what, and in which order.

A section that is named here is typed as it stands, whatever is in it; a line that is not for the docs tests and in no
section of these is found by `tests/docs/test_documented_commands_run.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.pages import ROOT
from tests.docs.places import is_for_engine, is_for_here, is_for_nobody, only_names
from tests.docs.sections import Section, sections

CLUSTER = "control-plane"
"""The control plane that is a machine of the cluster too."""
FOLDER = "control-plane-without-cluster"
LAPTOP, VPS = "my-laptop", "my-vps"

README = "README.md"
BASH_SYSTEM, OPERATIONS, TROUBLES = (
    f"docs/{name}.md" for name in ("from-the-bash-system", "operations", "troubleshooting")
)


@dataclass(frozen=True, slots=True)
class Stop:
    """A section of a page, and who types its blocks: one machine each, the last one also all that follow."""

    page: str
    heading: str
    machines: tuple[str, ...]
    without: str = ""
    """A block in which this stands is another way to the same end, which is not taken here."""
    looked_up: bool = False
    """Of a section that is looked up rather than followed, only what the docs tests cannot type is typed."""


WALK = (
    Stop(README, "1. The registry", (CLUSTER, FOLDER)),
    Stop(README, "2. The control plane", (CLUSTER,)),
    Stop(README, "In the cluster", (CLUSTER,)),
    Stop(README, "On a machine", (CLUSTER,), without="registry-dir"),
    Stop(README, "3. A laptop", (CLUSTER, LAPTOP)),
    Stop(README, "4. A VPS", (CLUSTER, VPS)),
    Stop(README, "5. See it", (CLUSTER,)),
    Stop(README, "When something is wrong", (CLUSTER,), looked_up=True),
    Stop(README, "2. The control plane", (FOLDER,)),
    Stop(README, "On a machine", (FOLDER,), without="kubeconfig"),
    Stop(BASH_SYSTEM, "The commands", (CLUSTER,)),
    Stop(BASH_SYSTEM, "The switch", (CLUSTER, CLUSTER, CLUSTER, LAPTOP)),
    Stop(BASH_SYSTEM, "What is left on a node", (LAPTOP,)),
    Stop(OPERATIONS, "What runs where", (LAPTOP,)),
    Stop(OPERATIONS, "Upgrade", (CLUSTER, LAPTOP)),
    Stop(OPERATIONS, "NATS", (CLUSTER,)),
    Stop(OPERATIONS, "Move it", (LAPTOP,)),
    Stop(OPERATIONS, "What a node takes", (LAPTOP,)),
    Stop(OPERATIONS, "A kubeconfig with no more rights than needed", (CLUSTER,)),
    Stop(OPERATIONS, "Discover Services", (CLUSTER,)),
    Stop(OPERATIONS, "Problems as Events", (CLUSTER,)),
    Stop(TROUBLES, "Nothing syncs", (CLUSTER,), looked_up=True),
    Stop(TROUBLES, "A node gets no updates", (LAPTOP,), looked_up=True),
    Stop(TROUBLES, "Names do not resolve", (LAPTOP,), looked_up=True),
    Stop(TROUBLES, "Public routes do not work", (VPS,), looked_up=True),
    Stop(TROUBLES, "The publisher does not publish", (CLUSTER,), looked_up=True),
    Stop(OPERATIONS, "Names by dnsmasq", (LAPTOP,)),
    Stop(OPERATIONS, "Rotate the signing key", (CLUSTER, CLUSTER, LAPTOP, CLUSTER), looked_up=True),
    Stop(TROUBLES, "The services do not start", (LAPTOP,), looked_up=True),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A line that is typed on a machine."""

    machine: str
    section: Section
    number: int
    """Which line of the whole walk it is: a line may be typed more than once."""
    line: str

    def __str__(self) -> str:
        return f"{self.machine}: {self.line.splitlines()[0]}"


def section_of(stop: Stop) -> Section:
    """Return the section of a stop.

    Raises:
        ValueError: its page has no such heading, or more than one.

    """
    found = [each for each in sections(ROOT / stop.page) if each.heading == stop.heading]
    if len(found) != 1:
        raise ValueError(f"{stop.page} has {len(found)} sections {stop.heading!r}")
    return found[0]


def steps() -> Iterator[Step]:
    """Yield all that is typed, in order."""
    number = 0
    for stop in WALK:
        section = section_of(stop)
        *_, in_text = section.typed
        for index, block in enumerate(section.typed):
            if stop.without and any(stop.without in line for line in block):
                continue
            alone = stop.looked_up or block is in_text
            for line in block:
                if _is_for_machine(line) and not (alone and is_for_here(line)):
                    yield Step(stop.machines[min(index, len(stop.machines) - 1)], section, number, line)
                    number += 1


def _is_for_machine(line: str) -> bool:
    """Tell whether a machine can have a line: no engine and no pod is there, and nothing is that is nowhere."""
    return not (only_names(line) or is_for_engine(line) or is_for_nobody(line) or " exec " in line)


STEPS = tuple(steps())
