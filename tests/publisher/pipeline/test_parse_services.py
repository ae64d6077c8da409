from typing import Any

import pytest

from common.models import Scheme, Service
from publisher.pipeline.parse import Parsed
from tests.publisher.pipeline.parsing import SERVICES, after, first, having, lines

IMMICH = SERVICES["immich"]


def _first(**fields: Any) -> Parsed:
    return first(having(services_json={**SERVICES, "immich": {**IMMICH, **fields}}))


def _after(**fields: Any) -> Parsed:
    return after(having(services_json={**SERVICES, "immich": {**IMMICH, **fields}}))


def _without(field: str) -> dict[str, Any]:
    return {key: value for key, value in IMMICH.items() if key != field}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"subdomain": " Photos. "}, {"subdomain": "photos"}),
        ({"subdomain": ""}, {"subdomain": ""}),
        ({"subdomain": "@"}, {"subdomain": ""}),
        ({"ip": " FD7A:115C:A1E0::10 "}, {"ip": "fd7a:115c:a1e0::10"}),
        ({"public": None}, {"public": False}),
        ({"scheme": "HTTPS"}, {"scheme": Scheme.HTTPS}),
        ({"scheme": None}, {"scheme": Scheme.HTTP}),
        ({"middlewares": ["auth@file", "limit@docker"]}, {"middlewares": ("auth@file", "limit@docker")}),
        ({"middlewares": "auth@file, limit@docker,"}, {"middlewares": ("auth@file", "limit@docker")}),
        ({"namespace": None, "updated": "2025", "color": "blue"}, {"namespace": ""}),
        ({"namespace": " a\nb "}, {"namespace": "a b"}),
    ],
)
def test_what_is_found_in_the_field_is_read(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Blanks, upper case, nulls and unknown fields are no problem."""
    parsed = _first(**fields)
    assert parsed.registry.services["immich"] == Service(
        **{"subdomain": "photos", "namespace": "immich", "ip": "100.67.243.10", "port": 80, "public": True, **expected}
    )
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("fields", "expected", "said"),
    [
        ({"port": " 080 "}, {"port": 80}, "port is the text '080'"),
        ({"public": "False"}, {"public": False}, "public is the text 'False'"),
        ({"namespace": 5}, {"namespace": ""}, "namespace must be a text, it is a number"),
        ({"port": None}, {"port": None}, "is public but has no port"),
        ({"port": " "}, {"port": None}, "is public but has no port"),
        ({"ip": None}, {"ip": None}, "has no address now"),
        ({"ip": ""}, {"ip": None}, "has no address now"),
        ({"middleware": ["a@file"]}, {"middlewares": ()}, "the field 'middleware' is not read: did you mean 'middlewa"),
        ({"Scheme": "https"}, {"scheme": "http"}, "the field 'Scheme' is not read: did you mean 'scheme'?"),
    ],
)
def test_what_is_odd_is_read_with_a_warning(fields: dict[str, Any], expected: dict[str, Any], said: str) -> None:
    """The entry is used; the problem says what to write instead."""
    parsed = _after(**fields)
    service = parsed.registry.services["immich"].model_dump()
    assert {key: service[key] for key in expected} == expected
    [line] = lines(parsed.problems)
    assert line.startswith(f"warning service-registry/services.json immich: {said}")


def test_fields_of_other_programs_are_no_problem() -> None:
    """Only what looks like a field of ours that is missing is taken for a slip of the pen."""
    assert not _after(updated="2025-11-06T18:29:58Z", owner="vinay", middlewares=["a@file"], middleware="x").problems


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ip": "100.67.243.300"}, "ip '100.67.243.300' is not an IPv4 or IPv6 address"),
        ({"ip": 7}, "ip must be a text, it is a number"),
        ({"ip": "1" * 400}, "ip '111"),
        ({"port": 0}, "port must be a number from 1 to 65535, it is 0"),
        ({"port": 65536}, "it is 65536"),
        ({"port": True}, "it is true"),
        ({"port": 80.5}, "it is 80.5"),
        ({"port": "http"}, 'it is "http"'),
        ({"port": "9" * 5000}, 'it is "999'),
        ({"port": "8\u0660"}, "port must be a number"),
        ({"subdomain": "a..b"}, "subdomain 'a..b' is not a DNS name"),
        ({"subdomain": ["a"]}, "subdomain must be a text, it is a list"),
        ({"subdomain": None}, "has no subdomain"),
        ({"scheme": "ftp"}, "scheme 'ftp' is neither 'http' nor 'https'"),
        ({"middlewares": ["auth"]}, "middlewares: 'auth' is not a Traefik middleware"),
        ({"middlewares": ["auth@file", None]}, "middlewares: 'null' is not a Traefik middleware"),
        ({"middlewares": {"a": 1}}, "middlewares must be a list, it is an object"),
    ],
)
def test_an_invalid_entry_keeps_its_previous_form(fields: dict[str, Any], said: str) -> None:
    """A slip of the pen takes nothing away; without a previous form the entry is left out, and only that entry."""
    kept = _after(**fields)
    assert kept.registry.services["immich"] == Service(**IMMICH)
    [line] = lines(kept.problems)
    assert line.startswith("error service-registry/services.json immich: ")
    assert said in line
    assert line.endswith("; the previous form is kept")
    left_out = _first(**fields)
    assert list(left_out.registry.services) == ["grafana"]
    assert any(line.endswith("; it is left out") for line in lines(left_out.problems))


@pytest.mark.parametrize("public", [False, None, "no", "", 1, [], "yes"])
def test_privacy_never_waits_for_a_valid_entry(public: Any) -> None:
    """A kept entry is public only if the present one reads as public, whatever else is wrong with it."""
    parsed = _after(public=public, port=0)
    assert parsed.registry.services["immich"] == Service(**{**IMMICH, "public": False})


def test_an_invalid_entry_never_becomes_public() -> None:
    """It is no more public than it was before, either."""
    parsed = after(having(services_json={"grafana": {**SERVICES["grafana"], "public": True, "port": 0}}))
    assert parsed.registry.services["grafana"].public is False


@pytest.mark.parametrize("entry", [None, [], "x", 5, True])
def test_an_entry_that_is_no_object_keeps_its_previous_form_but_not_in_public(entry: Any) -> None:
    """Nothing in it reads as public."""
    parsed = after(having(services_json={**SERVICES, "immich": entry}))
    assert parsed.registry.services["immich"] == Service(**{**IMMICH, "public": False})
    assert "must be an object" in lines(parsed.problems)[0]


def test_an_address_that_was_given_up_is_not_kept() -> None:
    """It may be someone else's by then, so it goes even when the rest of the entry is invalid."""
    parsed = _after(ip=None, port=0)
    assert parsed.registry.services["immich"].ip is None
    assert len(parsed.problems) == 2


def test_a_service_without_a_port_is_no_problem_while_it_is_private() -> None:
    """It has a name, and needs no route."""
    parsed = first(having(services_json={"grafana": {"subdomain": "grafana", "ip": "100.67.243.12"}}, routing_json={}))
    assert parsed.problems == ()
    assert parsed.registry.services["grafana"].port is None


def test_a_missing_subdomain_does_not_become_the_zone_itself() -> None:
    """Only a written empty one does."""
    parsed = first(having(services_json={"immich": _without("subdomain")}, routing_json={}))
    assert parsed.registry.services == {}


@pytest.mark.parametrize("name", ["", " immich", "a\nb", "x" * 300])
def test_a_name_that_does_not_print_is_a_problem(name: str) -> None:
    """The others stay."""
    parsed = first(having(services_json={**SERVICES, name: IMMICH}))
    assert set(parsed.registry.services) == set(SERVICES)
    [problem] = parsed.problems
    assert problem.entry is not None
    assert len(problem.entry) < 300
    assert "it is left out" in problem.message


def test_the_first_by_name_wins_a_name_and_the_other_is_a_problem() -> None:
    """Two addresses cannot share a name."""
    parsed = first(having(services_json={**SERVICES, "photoprism": {**IMMICH, "ip": "100.67.243.99"}}))
    assert lines(parsed.problems) == [
        "error service-registry/services.json photoprism: claims photos.mycloud.local, which 'immich' has with another"
        " address: the first by name wins"
    ]


def test_all_faults_of_an_entry_are_told_at_once() -> None:
    """Nobody mends one, to be told of the next."""
    parsed = _first(subdomain="a b", ip="x", port=-1, public="maybe", scheme="gopher")
    assert len([problem for problem in parsed.problems if problem.entry == "immich"]) == 6  # and its routing
