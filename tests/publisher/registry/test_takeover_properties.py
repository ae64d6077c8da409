"""Whatever an old registry looks like: taking it over loses nothing, shows nothing more, and has an end."""

from collections import Counter
from typing import Any

import orjson
from hypothesis import given

from common.models import Registry
from common.names import derive_names
from common.routes import derive_routes
from publisher.pipeline.parse import parse
from publisher.pipeline.parse.addresses import readable_address
from publisher.registry.difference import Kind, content_of
from publisher.registry.lookup import readable_domain
from publisher.registry.plan import plan_edit
from publisher.registry.takeover import FindingKind, find, take_over
from tests.publisher.pipeline.parsing import CALM
from tests.publisher.registry.old_registries import old_registries
from tests.publisher.registry.taking_over import NOW, Documents, taken

Derived = tuple[dict[str, str], list[tuple[Any, ...]]]


def derived(registry: Registry) -> Derived:
    """Return the names, and the public routes with all that is behind them, whichever entry they come from."""
    routes = derive_routes(registry).routes
    return (
        dict(derive_names(registry).records),
        [(route.host, route.backend, route.middlewares, route.vps_nodes) for route in routes],
    )


@CALM
@given(old_registries(), old_registries())
def test_no_name_and_no_route_changes(before: Documents, published: Documents) -> None:
    """Neither on first contact, nor for a publisher that keeps forms which it published before."""
    now = taken(before)
    first = parse(before, None).registry
    for previous in (None, first, parse(published, None).registry):
        assert derived(parse(now, previous).registry) == derived(parse(before, previous).registry)


@CALM
@given(old_registries())
def test_a_second_run_has_nothing_to_do(before: Documents) -> None:
    """And finds nothing that it would mend."""
    now = taken(before)
    assert plan_edit(before, take_over, NOW).changed is (now != before)
    assert not plan_edit(now, take_over, NOW).changed
    assert find(now).mended == ()
    assert find(now).left == find(before).left


@CALM
@given(old_registries())
def test_no_service_becomes_more_public(before: Documents) -> None:
    """Not even one that is not routed yet: its next route would show it."""
    was, now = parse(before, None).registry.services, parse(taken(before), None).registry.services
    assert now.keys() <= was.keys()
    assert all(was[name].public for name, service in now.items() if service.public)


@CALM
@given(old_registries())
def test_what_nobody_knows_stays(before: Documents) -> None:
    """Every unknown field is where it was, unless its entry, or its route's service, is told to go or to be joined."""
    told = {FindingKind.DUPLICATE, FindingKind.STALE}
    gone = {each.entry for each in find(before).mended if each.kind in told}
    now = _unknown(taken(before))
    for (kind, name), values in _unknown(before).items():
        if gone.isdisjoint({f"{kind} {name}", f"{Kind.SERVICE if kind is Kind.ROUTE else kind} {name}"}):
            assert now[kind, name] == values


def _unknown(of: Documents) -> dict[tuple[Kind, str], Counter[bytes]]:
    """Return the values of unknown fields by entry; those of all that share a name, which have numbers behind it."""
    found: dict[tuple[Kind, str], Counter[bytes]] = {}
    for (kind, name), fields in content_of(of).items():
        if "mine" in fields:
            found.setdefault((kind, name.partition(" (")[0]), Counter()).update([orjson.dumps(fields["mine"])])
    return found


@CALM
@given(old_registries())
def test_what_is_still_wrong_is_told(before: Documents) -> None:
    """Of all that the publisher has to say afterwards, there is nothing that `import` does not say, with a command."""
    left = find(before).left
    assert all(each.commands for each in left)
    for problem in parse(taken(before), None).problems:
        entry = problem.document if problem.entry is None else problem.entry or '""'
        names = {entry, readable_domain(entry), readable_address(entry), problem.message}
        assert [each for each in left if names & {each.entry.partition(" ")[2], each.entry, each.wrong}], problem
