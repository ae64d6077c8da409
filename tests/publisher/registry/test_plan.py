from dataclasses import replace
from functools import partial

import pytest

from common.problems import Severity
from publisher.registry.difference import Kind
from publisher.registry.draft import DOMAINS, NODES, ROUTING, SERVICES, Draft
from publisher.registry.plan import plan_edit
from publisher.registry.services import ServiceFields, add_service, remove_service
from publisher.source.document import Document
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.registry.editing import NOW, edited, planned, refused, told, value, whole


def _nothing(draft: Draft) -> None:
    draft.object(SERVICES)


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    """And needs no version of anything."""
    plan = planned(whole(), _nothing)
    assert (plan.changed, dict(plan.writes), dict(plan.versions), plan.changes, plan.warnings) == (
        False,
        {},
        {},
        (),
        (),
    )
    assert plan.before == plan.after


def test_a_plan_holds_what_is_written_and_what_must_still_be_there() -> None:
    """Registry before and after included, for what follows from it."""
    before = {name: replace(found, resource_version=f"v-{name}") for name, found in whole().items()}
    plan = planned(before, partial(remove_service, name="immich"))
    assert dict(plan.versions) == {name: f"v-{name}" for name in ("domain-registry", "service-registry")}
    assert plan.versions.keys() == plan.writes.keys()
    assert ("immich" in plan.before.services, "immich" in plan.after.services) == (True, False)
    assert plan_edit(before, partial(remove_service, name="immich"), NOW) == plan


def test_changed_services_and_routes_are_stamped_and_no_others() -> None:
    """As the replaced system did, so that people see when."""

    def edit(draft: Draft) -> None:
        draft.object(SERVICES)["immich"]["port"] = 81
        draft.object(SERVICES)["odd"] = 5
        draft.object(ROUTING)["immich"]["x"] = 1
        draft.object(DOMAINS)["domains"]["curiios.com"]["description"] = "x"

    before = whole(services_json={**APPS, "grafana": {**APPS["grafana"], "updated": "before"}, "odd": 4})
    after = edited(before, edit)
    services = value(after, SERVICES)
    assert [services[name].get("updated") for name in ("immich", "grafana")] == [NOW, "before"]
    assert value(after, ROUTING)["immich"]["updated"] == NOW
    assert "updated" not in str(value(after, DOMAINS))
    assert planned(before, edit).stamps == {
        (Kind.SERVICE, "immich"): "",
        (Kind.SERVICE, "odd"): "",
        (Kind.ROUTE, "immich"): "",
        (Kind.DOMAIN, "curiios.com"): "",
    }


def test_a_result_with_a_new_error_is_refused_with_all_of_them() -> None:
    """Whatever the edit checked itself."""

    def edit(draft: Draft) -> None:
        draft.object(SERVICES)["immich"]["port"] = "x"
        draft.object(SERVICES)["grafana"] = None
        draft.object(NODES)["vps_nodes"] = "x"

    assert refused(whole(), edit) == (
        "grafana: must be an object, it is null",
        'immich: port must be a number from 1 to 65535, it is "x"',
        "sync-controller-registry/registry.json: the field vps_nodes must be a list, it is a text",
    )


def test_a_new_warning_is_told_and_not_refused() -> None:
    """Old ones are not told again."""
    before = whole(services_json={**APPS, "old": {"subdomain": "old", "ip": None}})

    def edit(draft: Draft) -> None:
        draft.object(SERVICES)["new"] = {"subdomain": "new", "ip": None}
        draft.note("a")
        draft.note("a")

    plan = planned(before, edit)
    assert [(problem.severity, problem.entry) for problem in plan.warnings] == [(Severity.WARNING, "new")]
    assert plan.notes == ("a",)


def test_who_loses_a_name_already_may_lose_it_to_somebody_else() -> None:
    """That is no new fault."""
    apps = {name: {"subdomain": "photos", "ip": f"100.67.1.{i}", "port": 80} for i, name in enumerate("abc", 1)}
    rename = partial(add_service, name="a", given=ServiceFields(subdomain="movies"))
    plan = planned(whole(services_json=apps), rename)
    assert told(plan) == ["service a.subdomain: 'photos' -> 'movies'"]
    assert plan.warnings == ()


@pytest.mark.parametrize("gone", [0, 1])
def test_what_is_called_by_its_place_in_a_list_may_change_its_place(gone: int) -> None:
    """One broken entry more is a fault, one less is none."""
    nodes = {"worker_nodes": [{"ip": "x"}, {"ip": "100.1.1.1", "name": "a"}, {"ip": "x"}]}

    def edit(draft: Draft) -> None:
        del draft.object(NODES)["worker_nodes"][gone]

    def break_one_more(draft: Draft) -> None:
        draft.object(NODES)["worker_nodes"][1] = {"ip": "x"}

    assert planned(whole(registry_json=nodes), edit).changed
    [fault] = refused(whole(registry_json=nodes), break_one_more)
    assert fault.startswith("worker_nodes, item 3: ip ")


def test_what_withdraws_is_not_refused_for_what_it_uncovers() -> None:
    """It is told."""

    def edit(draft: Draft) -> None:
        draft.withdraw()
        draft.object(SERVICES)["immich"]["port"] = "x"

    warnings = planned(whole(routing_json={}), edit).warnings
    assert [(warning.severity, warning.entry) for warning in warnings] == [(Severity.ERROR, "immich")]


def test_documents_that_nobody_handed_over_can_be_made() -> None:
    """With a version of None: they must not be there."""

    def edit(draft: Draft) -> None:
        draft.create(SERVICES, {"a": {"subdomain": "a", "ip": "100.1.1.1"}})

    plan = planned({}, edit)
    assert dict(plan.versions) == {"service-registry": None}
    assert list(plan.after.services) == ["a"]
    assert value(edited({}, edit), SERVICES)["a"]["updated"] == NOW
    assert Document.missing("x", edit="").state == edited({"x": Document.missing("x", edit="")}, edit)["x"].state
