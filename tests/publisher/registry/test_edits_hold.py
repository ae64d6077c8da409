"""What holds for every edit of every registry, whatever shape it is in and whatever is broken in it."""

import copy
import re
from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import EditRefused
from common.problems import Severity
from publisher.pipeline.parse import parse
from publisher.registry.difference import VOLATILE, Content, Fate, Kind, content_of
from publisher.registry.draft import DOMAINS, NODES, OBJECTS, OLD_VPS_NODES, ROUTING, SERVICES, Draft
from publisher.registry.layout import same
from publisher.registry.lookup import node_items, written_items
from publisher.registry.plan import Documents, EditPlan, plan_edit
from tests.publisher.pipeline.parsing import CALM
from tests.publisher.registry.editing import NOW, value, written
from tests.publisher.registry.shapes import Made, edits, registries

KEYS = {
    Kind.SERVICE: {SERVICES},
    Kind.ROUTE: {ROUTING},
    Kind.DOMAIN: {DOMAINS},
    Kind.VPS: {DOMAINS, OLD_VPS_NODES},
    Kind.NODE: {NODES},
}
sequences = st.lists(edits, min_size=1, max_size=5)
many = settings(CALM, max_examples=150)


def _try(documents: Documents, made: Made) -> EditPlan | None:
    """Plan an edit; None when it is refused."""
    before = copy.deepcopy(documents)
    plan: EditPlan | None = None
    with suppress(EditRefused):
        plan = plan_edit(documents, made.edit, NOW)
    assert documents == before, "nothing is written by planning"
    return plan


def _errors(documents: Documents) -> Counter[tuple[str, str, str]]:
    """Count what is wrong, whatever place in a list it has."""
    return Counter(
        (problem.document, re.sub(r", item \d+$", "", problem.entry or ""), problem.message.partition(", which ")[0])
        for problem in parse(documents, None).problems
        if problem.severity is Severity.ERROR
    )


@many
@given(registries(), sequences)
def test_no_edit_brings_an_error_in(documents: Documents, sequence: list[Made]) -> None:
    """It is refused, or what it writes is no worse than what was there."""
    for made in sequence:
        plan = _try(documents, made)
        if plan is not None:
            after = written(documents, plan)
            withdrawn = Draft(documents, NOW)
            made.edit(withdrawn)
            assert withdrawn.withdraws or not _errors(after) - _errors(documents), made
            assert parse(after, None).registry == plan.after
            documents = after


@many
@given(registries(), sequences)
def test_the_same_edit_again_has_nothing_to_do(documents: Documents, sequence: list[Made]) -> None:
    """Or, of a removal, nothing to remove."""
    for made in sequence:
        plan = _try(documents, made)
        if plan is not None:
            documents = written(documents, plan)
            again = _try(documents, made)
            assert again is None or not again.changed, (made, again.changes)


@many
@given(registries(), edits)
def test_the_changes_are_what_differs(documents: Documents, made: Made) -> None:
    """Made on the fields of old, they give the fields of new: none is missing, none is told in vain."""
    plan = _try(documents, made)
    if plan is None:
        return
    old, new = content_of(documents), content_of(written(documents, plan))
    fields: dict[Any, Any] = {(*at, name): item for at, entry in old.items() for name, item in entry.items()}
    for change in plan.changes:
        at = (change.kind, change.entry, change.field)
        assert not same(change.before, change.after) or change.fate is not Fate.CHANGED
        assert same(fields.get(at), change.before)
        fields[at] = change.after
    wanted = {(*at, name): item for at, entry in new.items() for name, item in entry.items()}
    keys = fields.keys() | wanted.keys()
    assert [at for at in keys if not same(fields.get(at), wanted.get(at))] == []
    assert plan.changed or not plan.changes


def _untouched(content: Content, made: Made) -> Content:
    return {
        (kind, entry): fields
        for (kind, entry), fields in content.items()
        if kind not in made.may_touch or made.may_touch[kind] not in {None, re.sub(r" \(\d+\)$", "", entry)}
    }


@many
@given(registries(), edits)
def test_no_other_entry_changes_and_no_other_key(documents: Documents, made: Made) -> None:
    """Not a field of them, known or unknown, nor the text of a key that the edit has no business in."""
    plan = _try(documents, made)
    if plan is None:
        return
    after = written(documents, plan)
    assert same(
        [[*at, fields] for at, fields in _untouched(content_of(documents), made).items()],
        [[*at, fields] for at, fields in _untouched(content_of(after), made).items()],
    )
    ours = {str(key) for kind in made.may_touch for key in KEYS[kind]}
    for name, document in documents.items():
        for key, text in (document.data or {}).items():
            if f"{name}/{key}" not in ours:
                assert (after[name].data or {})[key] == text
    assert {f"{name}/{key}" for name, keys in plan.writes.items() for key in keys} <= {str(key) for key in OBJECTS}


@many
@given(registries(), edits)
def test_history_and_unknown_fields_of_a_kept_entry_stay(documents: Documents, made: Made) -> None:
    """`registered`, `status`, `last_sync` and all that we do not know; only `updated` is ours."""
    plan = _try(documents, made)
    if plan is None:
        return
    after = written(documents, plan)
    for key in (SERVICES, ROUTING):
        old, new = value(documents, key), value(after, key)
        for name in (old.keys() & new.keys()) if isinstance(old, dict) else ():
            if isinstance(old[name], dict):
                kept = {field for field in old[name] if field in VOLATILE - {"updated"} or field[:1] in {"x", "y", ""}}
                assert same({f: old[name][f] for f in kept}, {f: new[name].get(f) for f in kept})


@many
@given(registries(), edits)
def test_nothing_leads_to_what_was_removed(documents: Documents, made: Made) -> None:
    """A removal takes the routes along, and no others."""
    plan = _try(documents, made)
    if plan is None or not made.what.startswith("remove"):
        return
    routing, before = value(written(documents, plan), ROUTING) or {}, value(documents, ROUTING)
    gone = {(change.kind, change.entry) for change in plan.changes if change.fate is Fate.REMOVED}
    for entry in routing.values() if isinstance(routing, dict) else ():
        named = [
            (kind, item)
            for field, kind in (("domains", Kind.DOMAIN), ("vps_nodes", Kind.VPS))
            if isinstance(entry, dict)
            for item in written_items(entry.get(field))
        ]
        assert not gone & set(named)
    if isinstance(before, dict):
        for name in before.keys() - routing.keys():
            changed = [change for change in plan.changes if (change.kind, change.entry) == (Kind.ROUTE, name)]
            assert changed, "a route that goes is told"


@many
@given(registries(), sequences)
def test_every_other_node_keeps_its_name(documents: Documents, sequence: list[Made]) -> None:
    """Its identity on the bus, unless it is said that it could not."""
    for made in sequence:
        plan = _try(documents, made)
        if plan is None or Kind.NODE not in made.may_touch:
            continue
        after = written(documents, plan)
        before, now = (
            {item.address: item.name for item in node_items(value(found, NODES) or {}) if item.address}
            for found in (documents, after)
        )
        moved = [address for address in before.keys() & now.keys() if before[address] != now[address]]
        assert not moved or any("must join again" in note for note in plan.notes) or _twice(documents), made
        documents = after


def _twice(documents: Documents) -> bool:
    """Tell whether several nodes have one address: then an address tells no node from another."""
    addresses = [item.address for item in node_items(value(documents, NODES)) if item.address]
    return len(addresses) != len(set(addresses))
