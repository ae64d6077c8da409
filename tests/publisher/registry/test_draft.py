import pytest

from common.errors import EditRefused
from publisher.registry.draft import DOMAINS, NODES, OLD_VPS_NODES, ROUTING, SERVICES, Draft, Key
from publisher.source.document import CLUSTER_INFO
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.pipeline.parsing import documents, texts
from tests.publisher.registry.editing import NOW, whole


def _refusal(draft: Draft, key: Key) -> str:
    with pytest.raises(EditRefused) as caught:
        draft.object(key)
    return str(caught.value)


def test_what_is_edited_is_a_copy() -> None:
    """The documents stay as they are, also those that were handed over."""
    before = whole()
    draft = Draft(before, NOW)
    draft.object(SERVICES)["immich"]["port"] = 81
    draft.object(SERVICES)["new"] = {}
    assert before == whole()
    assert draft.object(SERVICES)["immich"]["port"] == 81
    assert list(draft.writes()) == ["service-registry"]


def test_only_what_differs_is_written_in_the_order_in_which_it_was_asked_for() -> None:
    """What withdraws asks first for what must be gone first."""
    draft = Draft(whole(), NOW)
    draft.object(NODES)
    draft.object(ROUTING).clear()
    draft.object(DOMAINS)["x"] = 1
    draft.object(SERVICES).pop("immich")
    writes = draft.writes()
    assert {name: list(keys) for name, keys in writes.items()} == {
        "domain-registry": ["routing.json", "domains.json"],
        "service-registry": ["services.json"],
    }
    assert writes["domain-registry"]["routing.json"] == "{}"


def test_another_order_of_fields_is_no_difference() -> None:
    """It means the same."""
    draft = Draft(whole(), NOW)
    entries = draft.object(SERVICES)
    entries["immich"] = dict(reversed(entries.pop("immich").items()))
    assert draft.writes() == {}


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", " \ufeff\n"])
def test_a_key_that_is_blank_is_not_there_yet(text: str) -> None:
    """The command that makes it is named."""
    draft = Draft(whole(services_json=text), NOW)
    assert not draft.has(SERVICES)
    assert _refusal(draft, SERVICES) == "service-registry/services.json is not there yet; make it with: routecast init"
    assert draft.optional(SERVICES) == {}


def test_a_document_that_is_missing_is_not_there_yet() -> None:
    """Also one that nobody handed over."""
    for found in ({}, documents({"service-registry": None})):
        assert "is not there yet" in _refusal(Draft(found, NOW), SERVICES)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON: "),
        ("null", "must be a JSON object, it is null"),
        ("[]", "must be a JSON object, it is a list"),
        ('{"a": 123456789012345678901}', "holds a number of more than 64 bits"),
        ('{"a": [-9223372036854775809]}', "holds a number of more than 64 bits"),
        ('{"immich": {"port": 1, "port": 2}}', "holds 'port' twice"),
        ('{"immich": {}, "b": {}, "immich": {}}', "holds 'immich' twice"),
    ],
)
def test_what_could_not_be_written_back_whole_is_not_edited(text: str, why: str) -> None:
    """It would be lost; the document is opened by hand first."""
    said = _refusal(Draft(whole(services_json=text), NOW), SERVICES)
    assert said.startswith(f"service-registry/services.json {why}")
    assert said.endswith(", so it cannot be edited safely; mend it first: edit service-registry")


def test_the_largest_numbers_are_kept() -> None:
    """To the last bit."""
    numbers = {"a": [18446744073709551615, -9223372036854775808, 0.1, -0.0]}
    draft = Draft(whole(services_json=numbers), NOW)
    draft.object(SERVICES)["b"] = 1
    assert '"a": [18446744073709551615, -9223372036854775808, 0.1, -0.0]' in str(draft.writes())


def test_a_document_that_may_not_be_read_says_why_and_how_to_mend_it() -> None:
    """Whole, whatever signs are in it."""
    found = documents({**texts(), "service-registry": None}, why="denied; ask: kubectl auth can-i; grant")
    assert _refusal(Draft(found, NOW), SERVICES) == (
        "service-registry/services.json cannot be read: denied; ask: kubectl auth can-i; grant, "
        "so it cannot be edited safely; mend it first: edit service-registry"
    )


def test_an_optional_key_is_edited_where_it_is_and_an_empty_list_is_none() -> None:
    """What is put into one that is not there is written nowhere."""
    draft = Draft(whole(vps_nodes_json={"100.1.1.1": {}}), NOW)
    draft.optional(OLD_VPS_NODES).clear()
    assert draft.optional(OLD_VPS_NODES) is draft.object(OLD_VPS_NODES)
    assert draft.writes() == {"domain-registry": {"vps-nodes.json": "{}"}}
    empty = Draft(whole(vps_nodes_json="[]"), NOW)
    empty.optional(OLD_VPS_NODES)["x"] = 1
    assert empty.writes() == {}
    with pytest.raises(EditRefused, match="it is a text"):
        Draft(whole(vps_nodes_json='"x"'), NOW).optional(OLD_VPS_NODES)


def test_a_key_that_was_made_can_be_edited_at_once() -> None:
    """And is written also when it is empty."""
    draft = Draft(documents({"service-registry": {"other": "x"}}), NOW)
    draft.create(SERVICES, {})
    assert draft.writes() == {"service-registry": {"services.json": "{}"}}
    draft.object(SERVICES)["a"] = APPS["immich"]
    assert "photos" in str(draft.writes())
    assert draft.optional(SERVICES) is draft.object(SERVICES)


def test_plain_keys_are_written_and_removed() -> None:
    """Where that makes a difference."""
    draft = Draft(whole(), NOW)
    draft.put_text(CLUSTER_INFO, "cluster-name", "mynodeone")
    draft.put_text(CLUSTER_INFO, "unknown", None)
    assert draft.writes() == {}
    draft.put_text(CLUSTER_INFO, "cluster-name", None)
    draft.put_text(CLUSTER_INFO, "cluster-domain", "b")
    draft.object(SERVICES)["x"] = 1
    draft.put_text("service-registry", "services.json", None)
    assert draft.writes() == {
        "cluster-info": {"cluster-name": None, "cluster-domain": "b"},
        "service-registry": {"services.json": None},
    }


def test_notes_are_kept_in_order() -> None:
    """For people."""
    draft = Draft({}, NOW)
    draft.note("b")
    draft.note("a")
    assert draft.notes == ["b", "a"]
    assert str(SERVICES) == "service-registry/services.json"
