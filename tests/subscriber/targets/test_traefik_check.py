from typing import Any

import pytest

from common.routes import Route
from common.settings.subscriber import TraefikSettings
from subscriber.targets.traefik_check import Served, Verdict, judge, keys_of, qualified
from subscriber.targets.traefik_config import build_entries

HOST = "a.example.com"
ENTRIES = build_entries(
    [Route("a", HOST, "http://10.0.0.1:80", ("authelia@docker",), ("100.64.0.1",))], TraefikSettings()
)
(ENTRY,) = ENTRIES.values()
ROUTER, REDIRECT = f"{ENTRY.key}@file", f"{ENTRY.redirect_key}@file"


def shown(**changes: dict[str, Any]) -> Served:
    """Return what the API shows when all is well, with some fields of router, redirect or service changed."""
    status = {"status": "enabled", "provider": "file"}
    redirect = {**ENTRY.redirect, "middlewares": ["routecast-redirect@file"]}
    return Served(
        routers={
            ROUTER: {**ENTRY.router, **status, **changes.get("router", {})},
            REDIRECT: {**redirect, **status, **changes.get("redirect", {})},
            "other@docker": {"status": "disabled"},
        },
        services={ROUTER: {**ENTRY.service, **status, **changes.get("service", {})}},
    )


def test_all_is_served() -> None:
    """Routers and service are there as they should be; what others configured does not count."""
    verdict = judge(shown(), ENTRIES, gone=["routecast-old-12345678"])
    assert verdict == Verdict({}, {})
    assert verdict.good
    assert not verdict.final


@pytest.mark.parametrize(
    ("part", "field", "value", "named"),
    [
        ("router", "rule", "Host(`b.example.com`)", "rule"),
        ("router", "service", "x", "service"),
        ("router", "entryPoints", ["other"], "entryPoints"),
        ("router", "middlewares", None, "middlewares"),
        ("router", "tls", None, "certificate resolver"),
        ("redirect", "middlewares", ["x@file"], "middlewares"),
        ("redirect", "tls", {"certResolver": "x"}, "certificate resolver"),
        ("service", "loadBalancer", {"servers": [{"url": "http://10.0.0.2:80"}]}, "backend"),
    ],
)
def test_another_form_is_not_served_yet(part: str, field: str, value: object, named: str) -> None:
    """Traefik still shows an older form: each field that we set counts."""
    verdict = judge(shown(**{part: {field: value}}), ENTRIES, gone=())
    assert verdict.missing.keys() == {HOST}
    assert f"has another {named}" in verdict.missing[HOST]
    assert not verdict.good
    assert not verdict.final


def test_what_is_absent_is_not_served_and_what_is_gone_must_be_absent() -> None:
    """Nothing there yet; or a removed router or service that is still there."""
    assert judge(Served({}, {}), ENTRIES, gone=()).missing == {HOST: f"service {ENTRY.key} is not there"}
    assert judge(shown(), {}, gone=[ENTRY.key]).missing == {ENTRY.key: "is still there"}
    assert not judge(Served({}, shown().services), {}, gone=[ENTRY.key]).good


def test_a_fault_is_told_in_traefiks_own_words() -> None:
    """Taken over and found faulty: refused, with the error or at least the status."""
    errors = {"status": "disabled", "error": ['middleware "x@file" does not exist', "and more"]}
    verdict = judge(shown(router=errors), ENTRIES, gone=())
    assert verdict.refused == {HOST: f'router {ENTRY.key}: middleware "x@file" does not exist; and more'}
    assert verdict.final
    warned = judge(shown(service={"status": "warning"}), ENTRIES, gone=())
    assert warned.refused == {HOST: f"service {ENTRY.key}: its status is warning"}


def test_a_host_that_is_not_whole_yet_is_not_refused_yet() -> None:
    """One router faulty, the other still old: wait."""
    verdict = judge(shown(router={"error": ["x"]}, redirect={"rule": "old"}), ENTRIES, gone=())
    assert verdict.missing.keys() == {HOST}
    assert not verdict.refused


def test_names_are_those_of_both_routers() -> None:
    """A name of another provider keeps it, ours get the file provider's."""
    assert keys_of(ENTRIES) == {ENTRY.key, ENTRY.redirect_key}
    assert (qualified("a"), qualified("a@docker")) == ("a@file", "a@docker")
