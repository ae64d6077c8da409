from hypothesis import given
from hypothesis import strategies as st

from publisher.pipeline.parse import Part
from publisher.pipeline.ready import parts_to_wait_for
from publisher.source.source import Mark
from tests.registries import REFERENCE

parts = st.sets(st.sampled_from(Part))


def _mark(counts: dict[str, int]) -> Mark:
    return Mark(epoch=1, version=1, digest="x", counts=counts)


@given(parts)
def test_with_a_previous_registry_nothing_waits(readable: set[Part]) -> None:
    """What cannot be read keeps its previous form, so the rest can go out."""
    assert parts_to_wait_for(readable, REFERENCE, None) == ()


@given(parts)
def test_first_contact_needs_the_services_alone(readable: set[Part]) -> None:
    """A new installation may lack domains, VPSs or nodes, but nothing goes out without services.json."""
    assert parts_to_wait_for(readable, None, None) == (() if Part.SERVICES in readable else ("services",))


@given(parts, st.dictionaries(st.sampled_from([part.value for part in Part]), st.integers(0, 3)))
def test_after_a_loss_every_part_that_had_entries_must_be_readable(readable: set[Part], counts: dict[str, int]) -> None:
    """With a mark but no snapshot, publishing without a part would take from nodes what nobody removed."""
    waiting = parts_to_wait_for(readable, None, _mark(counts))
    assert set(waiting) == {name for name, count in counts.items() if count > 0} - {part.value for part in readable}
