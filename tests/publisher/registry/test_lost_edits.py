from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from common.models import Role
from publisher.registry.beginning import ClusterFields, begin
from publisher.registry.domains import add_domain, remove_domain
from publisher.registry.draft import SERVICES
from publisher.registry.nodes import add_node, label_node
from publisher.registry.plan import Documents, Edit
from publisher.registry.record import FoundEntry, RecordedEdit, lost_edits
from publisher.registry.routes import RouteFields, remove_route, set_route
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public
from publisher.registry.vps import VpsFields, add_vps, remove_vps
from tests.publisher.pipeline.parsing import ROUTING, as_json, documents, having
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.registry.editing import planned, value, whole, written
from tests.registries import AT

VPS = "100.68.225.92"
STAMPED = {name: {**fields, "updated": "2025-01-01T00:00:00Z"} for name, fields in APPS.items()}
PORT: Edit = partial(add_service, name="immich", given=ServiceFields(port=81))
NEW: Edit = partial(add_service, name="new", given=ServiceFields(ip="100.67.1.1"))


class Registry:
    """Documents, and the record of the edits made on them, one a minute."""

    def __init__(self, found: Documents) -> None:
        self.documents = found
        self.edits: tuple[RecordedEdit, ...] = ()
        self._at: datetime = AT

    def edit(self, command: str, edit: Edit) -> None:
        """Make an edit and record it, as the editor does."""
        self._at += timedelta(minutes=1)
        plan = planned(self.documents, edit, f"{self._at:%Y-%m-%dT%H:%M:%SZ}")
        found = tuple(FoundEntry(kind=at[0], entry=at[1], stamp=stamp) for at, stamp in plan.stamps.items())
        recorded = RecordedEdit(at=self._at, by="me", command=command, changes=plan.changes, found=found)
        self.edits = (*self.edits, recorded)
        self.documents = written(self.documents, plan)

    def by_hand(self, change: Callable[[Any], Any]) -> None:
        """Change the services as somebody with an editor would."""
        services = value(self.documents, SERVICES)
        change(services)
        self.documents = {**self.documents, **documents({"service-registry": {"services.json": as_json(services)}})}

    def lost(self) -> list[str]:
        """Return the commands that would have to be repeated."""
        return [problem.mend for problem in lost_edits(self.documents, self.edits)]


@pytest.fixture(params=["plain", "stamped"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Make a registry whose services say when they were written, or not."""
    return Registry(whole(services_json=APPS if request.param == "plain" else STAMPED))


EDITS: dict[str, Edit] = {
    "port": PORT,
    "new": NEW,
    "hide": partial(set_public, name="immich", public=False),
    "remove service": partial(remove_service, name="immich"),
    "domain": partial(add_domain, text="a.org", description="x"),
    "description": partial(add_domain, text="curiios.com", description="x"),
    "remove domain": partial(remove_domain, text="curiios.com"),
    "vps": partial(add_vps, text="100.1.1.1", given=VpsFields()),
    "public ip": partial(add_vps, text=VPS, given=VpsFields(public_ip="203.0.113.7")),
    "remove vps": partial(remove_vps, text=VPS),
    "route": partial(set_route, service="immich", given=RouteFields(strategy="primary-backup")),
    "new route": partial(set_route, service="grafana", given=RouteFields(("curiios.com",), (VPS,))),
    "remove route": partial(remove_route, service="immich"),
    "node": partial(add_node, role=Role.WORKER, name="w", address="100.1.1.1", label=None),
    "address": partial(add_node, role=Role.LAPTOP, name="laptop", address="100.1.1.1", label=None),
    "label": partial(label_node, name="laptop", label="Mine"),
    "cluster": partial(begin, given=ClusterFields(name="x"), counts={}),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_was_put_back_is_named_with_its_command(registry: Registry, name: str) -> None:
    """Whatever was edited; as long as it stands, nothing is said."""
    before = registry.documents
    registry.edit(name, EDITS[name])
    assert registry.lost() == []
    registry.documents = before
    assert set(registry.lost()) == {name}
    registry.edit(name, EDITS[name])
    assert registry.lost() == []


def test_the_problem_says_what_was_lost_when_and_whose_it_was(registry: Registry) -> None:
    """One problem for each entry, with all its fields."""
    before = registry.documents
    registry.edit(
        "routecast service add immich ...",
        partial(add_service, name="immich", given=ServiceFields(ip="100.67.1.1", port=81)),
    )
    registry.documents = before
    [problem] = lost_edits(registry.documents, registry.edits)
    assert str(problem) == (
        "warning: service-registry/services.json 'immich': the edit of 2025-11-06 18:31:00Z by me was overwritten: "
        "ip, port as before; a writer without a lock brought the old form back"
    )


def test_an_old_copy_takes_several_edits_along(registry: Registry) -> None:
    """Each is named."""
    before = registry.documents
    registry.edit("port", PORT)
    registry.edit("hide", EDITS["hide"])
    registry.edit("new", NEW)
    registry.documents = before
    assert registry.lost() == ["port", "hide", "new"]


def test_an_edit_that_was_lost_before_the_next_one_is_still_named(registry: Registry) -> None:
    """Though the next one gave the entry a new stamp."""
    before = registry.documents
    registry.edit("port", PORT)
    registry.documents = before
    registry.edit("hide", EDITS["hide"])
    assert registry.lost() == ["port"]


def test_a_copy_that_is_older_than_all_that_is_remembered_is_known_by_its_stamp() -> None:
    """Edits are forgotten after a week."""
    registry = Registry(whole(services_json=STAMPED))
    before = registry.documents
    registry.edit("forgotten", EDITS["hide"])
    registry.edit("port", PORT)
    registry.edits = registry.edits[1:]
    registry.documents = before
    assert registry.lost() == ["port"]


def test_an_own_later_edit_of_the_same_field_is_no_loss(registry: Registry) -> None:
    """Nor the same value again, nor the removal of the whole."""
    registry.edit("port", PORT)
    registry.edit("back", partial(add_service, name="immich", given=ServiceFields(port=80)))
    assert registry.lost() == []
    registry.edit("port", PORT)
    registry.edit("remove", EDITS["remove service"])
    assert registry.lost() == []


def test_what_somebody_changed_to_something_else_is_no_loss(registry: Registry) -> None:
    """It is another edit."""
    registry.edit("port", PORT)
    registry.by_hand(lambda services: services["immich"].update(port=82))
    assert registry.lost() == []


def test_what_somebody_undid_after_it_is_no_loss() -> None:
    """The entry still has the stamp that our edit gave it: it was read before it was written."""
    for found in (whole(services_json=STAMPED), whole()):
        registry = Registry(found)
        registry.edit("port", PORT)
        registry.edit("hide", EDITS["hide"])
        registry.by_hand(lambda services: services["immich"].update(port=80, public=True))
        assert registry.lost() == []


def test_what_another_tool_registered_anew_is_no_loss() -> None:
    """It stamps what it writes."""
    registry = Registry(whole(services_json=STAMPED))
    registry.edit("port", PORT)
    registry.edit("remove", EDITS["remove service"])
    registry.by_hand(
        lambda services: services.update(immich={**APPS["immich"], "updated": "2025-12-01T00:00:00+01:00"})
    )
    assert registry.lost() == []


def test_what_was_removed_and_added_by_hand_is_no_loss() -> None:
    """Without the stamp of old, it is no old copy."""
    registry = Registry(whole(services_json=STAMPED, routing_json={}))
    registry.edit("remove", EDITS["remove service"])
    registry.by_hand(lambda services: services.update(immich=APPS["immich"]))
    assert registry.lost() == []


def test_a_field_that_somebody_took_out_of_a_new_entry_is_no_loss(registry: Registry) -> None:
    """The entry is there: it was seen."""
    registry.edit("new", NEW)
    registry.by_hand(lambda services: services["new"].pop("public"))
    assert registry.lost() == []


def test_an_entry_that_somebody_removed_after_our_change_is_no_loss(registry: Registry) -> None:
    """Its old form is not back."""
    registry.edit("scheme", partial(add_service, name="immich", given=ServiceFields(scheme="https")))
    registry.by_hand(lambda services: services.pop("immich"))
    assert registry.lost() == []


@pytest.mark.parametrize("stamp", ["yesterday", "2024-01-01T00:00:00", "2099-01-01T00:00:00Z"])
def test_stamps_of_any_form_tell_an_old_copy(stamp: str) -> None:
    """Without a zone, no time at all, or of a clock that was wrong."""
    registry = Registry(whole(services_json={"immich": {**APPS["immich"], "updated": stamp}}))
    before = registry.documents
    registry.edit("port", PORT)
    registry.edit("hide", EDITS["hide"])
    registry.documents = before
    assert registry.lost() == ["port", "hide"]


@pytest.mark.parametrize("text", ["{", "", "null", None])
def test_of_what_cannot_be_read_nothing_is_said(registry: Registry, text: Any) -> None:
    """It may all still be there."""
    registry.edit("new", NEW)
    registry.edit("remove", EDITS["remove service"])
    registry.documents = documents(having(services_json=text, routing_json=text))
    assert registry.lost() == []
    assert lost_edits({}, registry.edits) == ()


def test_a_record_from_before_stamps_were_kept_still_tells() -> None:
    """It says nothing of what an edit found."""
    registry = Registry(whole(routing_json=ROUTING))
    before = registry.documents
    registry.edit("port", PORT)
    registry.edits = tuple(edit.model_copy(update={"found": ()}) for edit in registry.edits)
    registry.documents = before
    assert registry.lost() == ["port"]
