import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import TargetFailed
from subscriber.targets.hosts_lines import entry_lines, read_entries, shadowed
from tests.registries import addresses

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{1,5}){0,2}", fullmatch=True)


@given(st.dictionaries(names, addresses, max_size=6))
def test_lines_are_sorted_and_read_back_as_they_were(records: dict[str, str]) -> None:
    """One line a name, sorted by name; reading them gives the records again."""
    lines = entry_lines(records)
    assert [line.partition(b"\t")[2].decode() for line in lines] == sorted(records)
    assert read_entries(lines) == records


def test_lines_of_others_are_not_read_as_ours() -> None:
    """Comments, blanks for the tab and bytes beyond ASCII are no lines of ours."""
    assert read_entries([b"# a\tb", b"10.0.0.1 x", b"10.0.0.1\t\xff", b"\xff\tx", b""]) == {}


@pytest.mark.parametrize(
    ("name", "address"), [("a\n6.6.6.6 bank", "10.0.0.1"), ("a b", "10.0.0.1"), ("", "10.0.0.1"), ("a", "1 x\n")]
)
def test_a_record_that_would_break_out_of_its_line_is_refused(name: str, address: str) -> None:
    """The renderer is safe by itself, whatever let such a record through."""
    with pytest.raises(TargetFailed) as failure:
        entry_lines({name: address})
    assert failure.value.code == "bad_entry"
    assert failure.value.entry == name


def test_an_owners_line_with_another_address_is_found() -> None:
    """Same name, same family, other address: reported, the first such line; equal and unreadable ones are not."""
    owner = (
        b"10.0.0.5\tPhotos.mycloud.local x # chat.mycloud.local\n10.0.0.6 photos.mycloud.local\r\n"
        b"100.67.1.21 chat.mycloud.local\nfe80::1 notes.mycloud.local\n"
        b"rubbish photos.mycloud.local notes.mycloud.local\n\xff\n"
    )
    records = {
        "photos.mycloud.local": "100.67.1.20",
        "chat.mycloud.local": "100.67.1.21",
        "notes.mycloud.local": "100.67.1.22",
    }
    assert shadowed(owner, records) == {"photos.mycloud.local": "10.0.0.5"}
