from functools import partial
from typing import Any

import pytest

from publisher.registry.draft import ROUTING, SERVICES
from publisher.registry.plan import Edit
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public
from tests.publisher.pipeline.parsing import ROUTING as ROUTES
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole

GRAFANA = APPS["grafana"]


def _add(name: str, **fields: Any) -> Edit:
    return partial(add_service, name=name, given=ServiceFields(**fields))


def test_a_new_service_is_private_and_called_as_it_is_named() -> None:
    """What was not given is what is safe."""
    after = edited(whole(), _add("jellyfin", ip="100.67.1.1", port=8096))
    assert value(after, SERVICES) == {
        **APPS,
        "jellyfin": {"subdomain": "jellyfin", "public": False, "ip": "100.67.1.1", "port": 8096, "updated": NOW},
    }


def test_adding_again_sets_what_is_given_and_nothing_else() -> None:
    """Above all not `public`, nor what we do not know."""
    present = {**APPS["immich"], "x-owner": {"since": 1.5, "tags": [None, "a"]}, "y": None}
    before = whole(services_json={**APPS, "immich": present})
    plan = planned(before, _add("immich", port=8080))
    assert told(plan) == ["service immich.port: 80 -> 8080"]
    assert value(edited(before, _add("immich", port=8080)), SERVICES) == {
        **APPS,
        "immich": {**present, "port": 8080, "updated": NOW},
    }


def test_the_same_again_writes_nothing() -> None:
    """Not even the time."""
    after = edited(whole(), _add("immich", port=8080, subdomain="Photos.", scheme="https", middlewares=("a@file",)))
    again = planned(after, _add("immich", port=8080, subdomain="photos", scheme="https", middlewares=("a@file",)))
    assert not again.changed
    assert not planned(after, _add("immich")).changed


@pytest.mark.parametrize(("present", "given"), [(1, True), (0, False), ("true", True)])
def test_what_only_looks_the_same_to_python_is_written(present: Any, given: bool) -> None:
    """1 is not true in JSON: the parser refuses the one and takes the other."""
    before = whole(services_json={"grafana": {**GRAFANA, "public": present}})
    after = edited(before, partial(set_public, name="grafana", public=given))
    assert value(after, SERVICES)["grafana"]["public"] is given


def test_a_port_with_a_fraction_is_written_as_a_number() -> None:
    """80.0 is 80 to Python only."""
    before = whole(services_json={"grafana": {**GRAFANA, "port": 80.0}})
    assert (
        b'"port": 80,'
        in (edited(before, _add("grafana", port=80))[SERVICES.document].data or {})[SERVICES.key].encode()
    )


def test_every_field_is_stored_in_its_canonical_form() -> None:
    """As the parser would read it."""
    given = ServiceFields(
        subdomain="Bücher.",
        ip="FD7A:115C:A1E0:0::10",
        port=1,
        public=False,
        namespace="media",
        service="",
        scheme="https",
        middlewares=("authelia@file", "authelia@file"),
    )
    after = edited(whole(), partial(add_service, name="new", given=given))
    assert value(after, SERVICES)["new"] == {
        "subdomain": "xn--bcher-kva",
        "public": False,
        "namespace": "media",
        "service": "",
        "ip": "fd7a:115c:a1e0::10",
        "port": 1,
        "scheme": "https",
        "middlewares": ["authelia@file"],
        "updated": NOW,
    }


@pytest.mark.parametrize("zone", ["", "@", " @ "])
def test_the_zone_itself_is_written_as_at(zone: str) -> None:
    """An empty text may be meant, or forgotten."""
    assert value(edited(whole(), _add("grafana", subdomain=zone)), SERVICES)["grafana"]["subdomain"] == "@"


def test_no_middleware_any_more_takes_the_field_away() -> None:
    """So the entry is as if there had never been one."""
    with_one = edited(whole(), _add("grafana", middlewares=("a@file",)))
    without = edited(with_one, _add("grafana", middlewares=()))
    assert value(without, SERVICES) == {**APPS, "grafana": {**GRAFANA, "updated": NOW}}
    assert not planned(without, _add("grafana", middlewares=())).changed


def test_all_faults_are_said_at_once() -> None:
    """A person mends them in one go."""
    faults = refused(
        whole(),
        _add(
            "bad`name\n",
            subdomain="a..b",
            port=0,
            ip="1.2.3",
            scheme="ftp",
            middlewares=("x", "a@file"),
            namespace="a\nb",
            service=" x",
        ),
    )
    assert [fault.partition(":")[0] for fault in faults] == [
        "the name",
        "--subdomain",
        "--namespace",
        "--service",
        "--ip",
        "--port",
        "--scheme",
        "--middleware",
    ]
    assert "'ftp' is neither 'http' nor 'https'" in faults[6]
    assert not any("\n" in fault for fault in faults)


@pytest.mark.parametrize("name", ["Immich-2", "bücher", "a_b", "`", "", "x" * 300, "a\nb", "a b", "100%"])
def test_a_name_that_would_not_fit_everywhere_is_refused(name: str) -> None:
    """It goes into commands, files and rules."""
    assert any("the name" in fault for fault in refused(whole(), _add(name, ip="100.67.1.1")))


def test_a_new_service_needs_an_address() -> None:
    """It would have no name without one."""
    assert refused(whole(), _add("new", port=80)) == (
        "there is no service 'new' yet: a new one needs an address (--ip)",
    )


def test_a_service_does_not_take_the_name_of_another() -> None:
    """Neither of one that comes before it, nor of one that comes behind."""
    for name in ("zzz", "aaa"):
        [fault] = refused(whole(), _add(name, ip="100.67.1.1", subdomain="photos"))
        assert "claims photos.mycloud.local" in fault


def test_a_field_of_a_broken_entry_can_be_mended_while_others_stay_broken() -> None:
    """What was wrong before is no reason to refuse."""
    before = whole(services_json={"grafana": {"subdomain": "a..b", "ip": "x", "port": 80}})
    after = edited(before, _add("grafana", ip="100.67.1.1"))
    assert value(after, SERVICES)["grafana"]["ip"] == "100.67.1.1"
    assert value(edited(after, _add("grafana", subdomain="g")), SERVICES)["grafana"]["subdomain"] == "g"


def test_an_entry_that_is_no_object_can_be_made_one() -> None:
    """With all that it needs."""
    before = whole(services_json={"grafana": None})
    assert "has no subdomain" in refused(before, _add("grafana", port=3000))[0]
    after = edited(before, _add("grafana", subdomain="g", ip="100.67.1.1"))
    assert value(after, SERVICES) == {"grafana": {"subdomain": "g", "ip": "100.67.1.1", "updated": NOW}}


def test_publishing_and_hiding_change_one_field() -> None:
    """Both ways, and say so."""
    plan = planned(whole(), partial(set_public, name="grafana", public=True))
    assert told(plan) == ["service grafana.public: False -> True"]
    assert not planned(whole(), partial(set_public, name="immich", public=True)).changed


def test_hiding_is_never_refused_for_what_it_uncovers() -> None:
    """Privacy does not wait until others have sorted out who gets the host name."""
    apps = {
        name: {"subdomain": "photos", "ip": ip, "port": 80, "public": True}
        for name, ip in (("a", "100.67.1.1"), ("b", "100.67.1.2"), ("c", "100.67.1.1"))
    }
    before = whole(services_json=apps, routing_json=dict.fromkeys(apps, ROUTES["immich"]))
    plan = planned(before, partial(set_public, name="a", public=False))
    assert [(problem.entry, problem.message.partition(",")[0]) for problem in plan.warnings] == [
        ("c", "claims photos.curiios.com")
    ]
    assert planned(before, partial(remove_service, name="a")).changed
    assert refused(before, _add("a", subdomain="movies"))


def test_a_removed_service_takes_its_route_along() -> None:
    """First the route, then the service: whatever comes in between, nothing is served that is not registered."""
    plan = planned(whole(), partial(remove_service, name="immich"))
    assert list(plan.writes) == [ROUTING.document, SERVICES.document]
    after = edited(whole(), partial(remove_service, name="immich"))
    assert value(after, SERVICES) == {"grafana": GRAFANA}
    assert value(after, ROUTING) == {}


@pytest.mark.parametrize("routing", [None, "", " \n", "[]"])
def test_a_service_can_be_removed_where_nothing_was_ever_routed(routing: Any) -> None:
    """The key of the routing may be missing."""
    after = edited(whole(routing_json=routing), partial(remove_service, name="immich"))
    assert value(after, SERVICES) == {"grafana": GRAFANA}


@pytest.mark.parametrize("name", ["a\nb", "bad one", "x" * 400])
def test_a_service_with_a_broken_name_can_be_removed(name: str) -> None:
    """Who has one must get rid of it."""
    before = whole(services_json={**APPS, name: GRAFANA}, routing_json={name: ROUTES["immich"]})
    after = edited(before, partial(remove_service, name=name))
    assert (value(after, SERVICES), value(after, ROUTING)) == (APPS, {})


@pytest.mark.parametrize("edit", [partial(set_public, public=True), remove_service])
def test_a_service_that_does_not_exist_is_named_with_what_does(edit: Any) -> None:
    """The nearest ones first."""
    assert refused(whole(), partial(edit, name="imich")) == ("there is no service 'imich' (did you mean 'immich'?)",)
