from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.status import DocumentStatus, SourceState
from publisher.pipeline.store import Store
from publisher.source.document import CLUSTER_INFO, DOCUMENTS, SERVICE_REGISTRY, Document
from publisher.source.source import SourceEvent

SERVICES = Document(SERVICE_REGISTRY, {"services.json": "{}"}, resource_version="1", edit="edit")
LISTED = {name: Document(name, {"k": "v"}, resource_version="1") for name in DOCUMENTS}


def _event(document: Document) -> SourceEvent:
    return SourceEvent(document.name, document)


def test_nothing_is_listed_until_every_document_was_heard_of() -> None:
    """A registry is never built from half a list; a missing document was heard of."""
    store = Store()
    for name in DOCUMENTS:
        assert not store.listed
        assert store.apply(_event(Document.missing(name, "edit")))
    assert store.listed
    assert set(store.documents) == set(DOCUMENTS)


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        ({}, False),
        ({"resource_version": "2", "changed_by": "me", "changed_at": datetime.now(UTC)}, False),
        ({"data": {"services.json": "{} "}}, True),
        ({"data": None}, True),
        ({"data": None, "why": "denied"}, True),
        ({"notes": ("is in b.yaml too",)}, True),
        ({"edit": "other"}, True),
    ],
)
def test_a_change_of_content_or_readability_matters(change: dict[str, object], matters: bool) -> None:
    """Who touched a document without changing it, asks for no round; but is known."""
    store = Store()
    assert store.apply(_event(SERVICES))
    changed = replace(SERVICES, **change)  # type: ignore[arg-type]
    assert store.apply(_event(changed)) is matters
    assert store.documents[SERVICE_REGISTRY] is changed


def test_a_silent_source_takes_nothing_away() -> None:
    """The last known form counts until the source answers again."""
    store = Store()
    store.replace(LISTED)
    assert not store.apply(SourceEvent(SERVICE_REGISTRY, None, "no route"))
    assert store.documents == LISTED
    assert store.statuses()[SERVICE_REGISTRY] == DocumentStatus(
        state=SourceState.LOST, resource_version="1", detail="no route"
    )
    assert not store.apply(_event(LISTED[SERVICE_REGISTRY]))
    assert store.statuses()[SERVICE_REGISTRY].state is SourceState.READABLE


def test_each_document_says_how_it_stands() -> None:
    """For the publisher's status."""
    store = Store()
    assert {status.state for status in store.statuses().values()} == {SourceState.WAITING}
    store.apply(SourceEvent(SERVICE_REGISTRY, None))
    store.apply(_event(Document(CLUSTER_INFO, None, why="denied")))
    assert store.statuses()[SERVICE_REGISTRY] == DocumentStatus(
        state=SourceState.WAITING, detail="the source does not answer"
    )
    assert store.statuses()[CLUSTER_INFO] == DocumentStatus(state=SourceState.UNREADABLE, detail="denied")


def test_a_fresh_list_replaces_all() -> None:
    """And tells whether anything is different."""
    store = Store()
    assert store.replace(LISTED)
    assert not store.replace(LISTED)
    assert store.replace({**LISTED, SERVICE_REGISTRY: SERVICES})
    assert store.documents[SERVICE_REGISTRY] == SERVICES
    assert store.listed
    assert not store.replace({"kube-root-ca": SERVICES})


def test_a_list_never_takes_back_what_the_watch_told_meanwhile() -> None:
    """The list may have been read before the change; the watch would not tell it again."""
    store = Store()
    store.replace(LISTED)
    asked = store.heard
    store.apply(_event(SERVICES))
    assert not store.replace(LISTED, since=asked)
    assert store.documents[SERVICE_REGISTRY] == SERVICES
    assert store.replace(LISTED, since=store.heard)


def test_a_stranger_is_ignored() -> None:
    """A watch may tell of more than was asked for."""
    store = Store()
    assert not store.apply(SourceEvent("kube-root-ca", Document("kube-root-ca", {})))
    assert store.documents == {}
