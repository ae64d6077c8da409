"""What only a person can decide about a registry that is taken over, and the commands to do it with. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from common.models import Registry
from common.names import derive_names
from common.problems import Problem, Severity
from common.routes import derive_routes
from publisher.pipeline.parse import parse
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.node_names import base_name
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import read_object
from publisher.registry.draft import DOMAINS, NODES, OLD_VPS_NODES, ROUTING, SERVICES
from publisher.registry.lookup import NodeItem, node_items, readable_domain, written_domains
from publisher.registry.takeover.documents import Documents
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.written import fields_of, shown

_TWICE_IN = {str(DOMAINS), str(OLD_VPS_NODES)}
_TWICE = "is written more than once"
_LEFT_OUT = "; it is left out"


def left_to_people(documents: Documents, log: Log) -> None:
    """Note what is still wrong in `documents`, which are taken over: all that the parser says, and what it does not."""
    parsed = parse(documents, None)
    nodes = _nodes(documents)
    _private_but_routed(parsed.registry, log)
    _node_names(nodes, log)
    told = tuple(f"is {node.name!r} on the bus" for node in nodes)
    problems = sorted((each for each in parsed.problems if not each.message.startswith(told)), key=_at)
    telling = _Telling(documents, parsed.registry, log)
    for _, of_one in groupby(problems, key=_at):
        telling.tell(list(of_one))


def _at(problem: Problem) -> tuple[str, bool, str]:
    return problem.document, problem.entry is not None, problem.entry or ""


def _private_but_routed(registry: Registry, log: Log) -> None:
    for name, routing in registry.routing.items():
        if not registry.services[name].public:
            log.leave(
                FindingKind.PRIVATE_BUT_ROUTED,
                f"service {name}",
                f"is private, so its route under {', '.join(routing.domains) or 'no domain'} is not served",
                Command("service publish", (name,)),
                Command("route remove", (name,)),
            )


def _nodes(documents: Documents) -> list[NodeItem]:
    """Return the nodes that have a name on the bus, each once."""
    root = read_object(Places(documents, first_contact=True).at(*NODES)) or {}
    return list({item.name: item for item in node_items(root) if item.address is not None}.values())


def _node_names(nodes: Iterable[NodeItem], log: Log) -> None:
    for node in nodes:
        written, address = fields_of(node.entry).label("name"), str(node.address)
        if written == node.name:
            continue
        because = "" if node.name == base_name(written, address) else ", as another node has the plain name"
        gone = Command("node remove", (node.name,), (("--yes",),))
        log.leave(
            FindingKind.NODE_NAME,
            f"node {written or address}",
            f"is {node.name!r} on the bus{because}: there its setting subscriber.node must say so",
            Command("node add", (node.role.value, "NAME", address), after=gone),
        )


class _Telling:
    """Tells what the parser says, in the words of findings."""

    def __init__(self, documents: Documents, registry: Registry, log: Log) -> None:
        self._log = log
        conflicts = (*derive_names(registry).conflicts, *derive_routes(registry).conflicts)
        self._claims = {(conflict.loser, f"claims {conflict.name},") for conflict in conflicts}
        known = {node.address for node in registry.nodes}
        self._without_node = {vps.tailscale_ip for vps in registry.vps_nodes} - known
        root = read_object(Places(documents, first_contact=True).at(*DOMAINS)) or {}
        self._domains = {key for key, _ in written_domains(root)}
        self._duplicates = {finding.entry for finding in log.found if finding.kind is FindingKind.DUPLICATE}

    def tell(self, problems: Sequence[Problem]) -> None:
        """Note all that is wrong with one entry, or with a whole key."""
        kinds = (self._is_conflict, self._is_vps_without_node, self._is_told)
        rest = [problem for problem in problems if not any(is_one(problem) for is_one in kinds)]
        if not rest:
            return
        is_error = any(problem.severity is Severity.ERROR for problem in rest)
        at_fault = FindingKind.INVALID if rest[0].entry is not None else FindingKind.UNREADABLE
        wrong = "; ".join(problem.message.removesuffix(_LEFT_OUT) for problem in rest)
        mends = dict.fromkeys(problem.mend for problem in rest)
        self._log.leave(at_fault if is_error else FindingKind.ODD, self._entry_of(rest[0]), wrong, *mends)

    def _is_conflict(self, problem: Problem) -> bool:
        if not any(problem.entry == loser and problem.message.startswith(claim) for loser, claim in self._claims):
            return False
        gone = Command("service remove", (str(problem.entry),))
        self._log.leave(FindingKind.CONFLICT, f"service {problem.entry}", problem.message, problem.mend, gone)
        return True

    def _is_vps_without_node(self, problem: Problem) -> bool:
        if problem.entry not in self._without_node or not problem.message.startswith("is registered as a VPS"):
            return False
        gone = Command("vps remove", (problem.entry,))
        wrong = "no node has its address, so nobody writes its routes"
        self._log.leave(FindingKind.VPS_WITHOUT_NODE, f"VPS {problem.entry}", wrong, problem.mend, gone)
        return True

    def _is_told(self, problem: Problem) -> bool:
        """Tell whether a problem is only that a domain or a VPS is written more than once, and that is told already."""
        if problem.entry is None or not problem.message.startswith(_TWICE):
            return False
        names = {f"domain {readable_domain(problem.entry)}", f"VPS {readable_address(problem.entry)}"}
        return problem.document in _TWICE_IN and not names.isdisjoint(self._duplicates)

    def _entry_of(self, problem: Problem) -> str:
        """Return what a problem is about, as ``service immich``."""
        if problem.entry is None:
            return problem.document
        nouns = {str(SERVICES): "service", str(ROUTING): "route", str(NODES): "node"}
        noun = "domain" if problem.document == str(DOMAINS) and problem.entry in self._domains else "VPS"
        return f"{nouns.get(problem.document, noun)} {problem.entry or shown(problem.entry)}"
