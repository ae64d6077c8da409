from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import EditRefused
from common.trust.nkeys import KeyPair, Owner
from publisher.pipeline.parse import parse
from publisher.registry.draft import NODES, Draft
from publisher.registry.invitation import JOIN, KEY, Invitation, hash_of, key_of
from publisher.registry.joining import Asked, admit_node, invite_node, rejoin_command
from publisher.registry.node_keys import NodeKey, node_keys
from publisher.registry.nodes import add_node, label_node, remove_node
from publisher.registry.plan import Documents, Edit
from publisher.registry.record import RecordedEdit, add_to_record
from tests.publisher.pipeline.parsing import NODES as ROOT
from tests.publisher.registry.editing import edited, planned, refused, told, value, whole
from tests.registries import AT

SECRET = "a secret of a test"
INVITATION = Invitation("J0123456789abcdef", hash_of(SECRET), AT + timedelta(hours=1))
KEYS = [KeyPair.new(Owner.USER).public for _ in range(2)]
ASKED = Asked(INVITATION.id, KEYS[0], SECRET)


def _invite(name: str = "laptop", *, rejoin: bool = False, revoked: tuple[str, ...] = ()) -> Edit:
    def edit(draft: Draft) -> None:
        invite_node(draft, name, INVITATION, rejoin=rejoin, revoked=revoked)

    return edit


def _admit(asked: Asked = ASKED, at: Any = AT) -> Edit:
    def edit(draft: Draft) -> None:
        admit_node(draft, asked, at)

    return edit


def _laptop(**fields: Any) -> Documents:
    present = {"ip": "100.86.112.112", "name": "laptop", **fields}
    return whole(registry_json={**ROOT, "management_laptops": [present]})


def _entry(found: Documents) -> dict[str, Any]:
    entry: dict[str, Any] = value(found, NODES)["management_laptops"][0]
    return entry


def test_an_invited_node_that_joins_has_a_key_and_no_invitation() -> None:
    """Everything else of it stays."""
    invited = edited(_laptop(x=1), _invite())
    assert _entry(invited) == {"ip": "100.86.112.112", "name": "laptop", "x": 1, JOIN: INVITATION.entry()}
    assert Invitation.of(_entry(invited)) == INVITATION
    joined = edited(invited, _admit())
    assert _entry(joined) == {"ip": "100.86.112.112", "name": "laptop", "x": 1, KEY: KEYS[0]}


def test_neither_travels_in_a_snapshot_nor_is_a_problem() -> None:
    """They are the control plane's alone."""
    before = parse(whole(), None)
    invited = parse(edited(whole(), _invite()), None)
    joined = parse(edited(edited(whole(), _invite()), _admit()), None)
    assert invited.registry == before.registry == joined.registry
    assert invited.problems == before.problems == joined.problems == ()


def test_what_is_told_of_it_holds_no_hash() -> None:
    """Neither the difference that is shown, nor the record of edits."""
    plan = planned(_laptop(), _invite())
    assert told(plan) == [f"node laptop.join: None -> '{INVITATION.id}, until 2025-11-06 19:30:00Z'"]
    joined = planned(edited(_laptop(), _invite()), _admit())
    assert told(joined) == [
        f"node laptop.join: '{INVITATION.id}, until 2025-11-06 19:30:00Z' -> None",
        f"node laptop.key: None -> '{KEYS[0]}'",
    ]
    for each in (plan, joined):
        record = add_to_record(None, RecordedEdit(at=AT, by="me", command="x", changes=each.changes))
        assert INVITATION.secret_sha256 not in record
        assert INVITATION.secret_sha256 not in repr(each.changes)
    assert INVITATION.secret_sha256 not in repr(INVITATION)
    assert SECRET not in repr(ASKED)


@given(
    st.recursive(
        st.none() | st.integers(-5, 5) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "secret_sha256", "expires", "x"]), inner, max_size=4)
        ),
        max_leaves=6,
    )
)
def test_whatever_is_written_there_is_read_or_is_none(written: Any) -> None:
    """And is never shown as it is."""
    Invitation.of({JOIN: written})
    key_of({KEY: written})
    [told_of_it] = told(
        planned(_laptop(), lambda draft: draft.object(NODES)["management_laptops"][0].update(join=written))
    )
    assert told_of_it.startswith("node laptop.join: None -> '")


def test_a_time_without_a_zone_is_in_utc() -> None:
    """As stamps are."""
    entry = {JOIN: {**INVITATION.entry(), "expires": "2025-11-06T19:30:00"}}
    assert Invitation.of(entry) == INVITATION
    assert Invitation.of({JOIN: {**INVITATION.entry(), "secret_sha256": "ä"}}) is None
    assert Invitation.of({JOIN: {**INVITATION.entry(), "expires": "soon"}}) is None


def test_other_edits_keep_both() -> None:
    """Another address, another role, a label; removing it takes both away."""
    from common.models import Role  # noqa: PLC0415

    joined = edited(edited(edited(_laptop(), _invite()), _admit()), _invite(rejoin=True))
    moved = edited(joined, lambda draft: add_node(draft, Role.WORKER, "laptop", "100.1.1.1", "Mine"))
    [entry] = value(moved, NODES)["worker_nodes"]
    assert entry[KEY] == KEYS[0]
    assert entry[JOIN] == INVITATION.entry()
    assert KEY in str(value(edited(moved, lambda draft: label_node(draft, "laptop", "x")), NODES))
    assert KEYS[0] not in str(value(edited(moved, lambda draft: remove_node(draft, "laptop")), NODES))


def test_one_that_has_joined_is_invited_only_to_join_again() -> None:
    """Or when its key is no longer good; its key stays until another one is there."""
    joined = edited(edited(_laptop(), _invite()), _admit())
    plan = planned(joined, _invite())
    assert not plan.changed
    assert "--rejoin" in plan.notes[0]
    for again in (_invite(rejoin=True), _invite(revoked=(KEYS[0],))):
        entry = _entry(edited(joined, again))
        assert (entry[KEY], entry[JOIN]) == (KEYS[0], INVITATION.entry())
    other = edited(edited(joined, _invite(rejoin=True)), _admit(Asked(INVITATION.id, KEYS[1], SECRET)))
    assert _entry(other)[KEY] == KEYS[1]
    assert Invitation.of(_entry(edited(_laptop(key="no key"), _invite()))) == INVITATION


def test_nobody_is_invited_who_is_not_there() -> None:
    """Nor whose address cannot be read."""
    assert "there is no node 'lap'" in refused(_laptop(), _invite("lap"))[0]
    assert "there is no node" in refused(_laptop(ip="x"), _invite())[0]


def test_a_token_that_is_not_good_says_why() -> None:
    """And changes nothing."""
    invited = edited(_laptop(), _invite())
    assert "altered" in refused(invited, _admit(Asked(INVITATION.id, KEYS[0], "another")))[0]
    assert "expired at 2025-11-06 19:30:00Z" in refused(invited, _admit(at=INVITATION.expires))[0]
    assert "not good any more" in refused(invited, _admit(Asked("Jffffffffffffffff", KEYS[0], SECRET)))[0]
    assert "not good any more" in refused(whole(), _admit())[0]
    broken = edited(_laptop(), _invite())
    broken = whole(registry_json={"management_laptops": [{**_entry(broken), "ip": "x"}]})
    assert "no address that can be read" in refused(broken, _admit())[0]


def test_the_same_key_again_is_no_second_use() -> None:
    """The answer may have been lost; another key is one."""
    joined = edited(edited(_laptop(), _invite()), _admit())
    assert not planned(joined, _admit()).changed
    assert "used" in refused(joined, _admit(Asked(INVITATION.id, KEYS[1], SECRET)))[0]


def test_a_key_is_one_nodes_alone() -> None:
    """Who copies a request does not become a second node with it."""
    laptop = edited(edited(whole(), _invite()), _admit())
    both = edited(laptop, _invite("vps-1"))
    assert "that of the node 'laptop' already" in refused(both, _admit())[0]


def test_the_record_of_edits_names_the_command_that_repeats_a_join() -> None:
    """As far as the token's node can still be found."""
    assert rejoin_command(edited(_laptop(), _invite()), INVITATION.id) == (
        "routecast node add laptop laptop 100.86.112.112 --rejoin"
    )
    for found in (_laptop(), whole(registry_json="{")):
        assert rejoin_command(found, INVITATION.id) == "routecast node add ROLE NAME ADDRESS --rejoin"


def test_the_keys_of_a_registry_that_cannot_be_read_are_not_known() -> None:
    """Which is not the same as none."""
    joined = edited(edited(_laptop(registered="now"), _invite()), _admit())
    assert node_keys(joined) == (
        NodeKey("laptop", sure=True, key=KEYS[0], registered="now"),
        NodeKey("vps-1", sure=True, key=None, registered=""),
    )
    for broken in ("{", "", "[]", {"management_laptops": 5}, None):
        assert node_keys(whole(registry_json=broken)) is None
    assert node_keys(whole(registry_json={})) == ()
    assert node_keys(_laptop(ip="x", key=5, registered=5))[0] == NodeKey("laptop", sure=False, key=None, registered="")  # type: ignore[index]


def test_an_edit_of_a_registry_that_is_broken_says_so() -> None:
    """Instead of writing over it."""
    with pytest.raises(EditRefused, match="mend it first"):
        planned(whole(registry_json="{"), _admit())
