from hypothesis import example, given
from hypothesis import strategies as st

from subscriber.targets.hosts_block import BEGIN, BEGIN_JOINED, END, Parts, split

LINES = (b"100.67.1.20\tphotos.mycloud.local", b"fd7a:115c:a1e0::10\tmycloud.local")
BLOCK = b"\n".join((BEGIN, *LINES, END, b""))

owner_lines = st.sampled_from(
    [
        b"127.0.0.1\tlocalhost",
        b"::1 localhost # a comment",
        b"# BEGIN routecast",
        b"   # END routecast",
        b"10.0.0.5 nas " + END,
        LINES[0] + b" ",
        b"",
        b"\x00\xff\xe4\r",
    ]
) | st.binary(max_size=40).filter(lambda line: b"routecast" not in line)
owner_bytes = st.builds(
    lambda lines, end: b"\n".join(lines) + end, st.lists(owner_lines, max_size=6), st.sampled_from([b"", b"\n"])
)
our_lines = st.lists(st.sampled_from([*LINES, b"100.67.1.21\tchat.mycloud.local"]), unique=True, max_size=3).map(tuple)
OURS = {*LINES, b"100.67.1.21\tchat.mycloud.local"}


@given(owner_bytes, our_lines, our_lines)
@example(b"x", LINES, ())
@example(b"x\n\n", LINES, ())
def test_a_block_never_changes_a_byte_around_it(
    owner: bytes, first: tuple[bytes, ...], second: tuple[bytes, ...]
) -> None:
    """Written, written again, changed and removed: what the owner wrote is there to the byte."""
    once = split(owner, OURS).render(first)
    assert split(once, OURS).lines == first
    assert split(once, OURS).outside == owner
    assert split(once, OURS).render(first) == once
    twice = split(once, OURS).render(second)
    assert twice == split(owner, OURS).render(second)
    assert split(twice, OURS).render(()) == owner


@given(owner_bytes, owner_bytes, our_lines)
def test_bytes_below_the_block_stay(before: bytes, after: bytes, lines: tuple[bytes, ...]) -> None:
    """The owner may write below the block; its lines never run into those above."""
    content = Parts(before, after).render(LINES)
    assert split(content, OURS) == Parts(before, after, LINES)
    changed = split(content, OURS).render(lines)
    if lines:
        assert changed.startswith(before)
        assert changed.endswith(after)
        assert split(changed, OURS).before == before
        assert split(changed, OURS).after == after
    else:
        joint = b"\n" if before and after and not before.endswith(b"\n") else b""
        assert changed == before + joint + after


@given(st.lists(owner_lines | st.sampled_from([BEGIN, BEGIN_JOINED, END, *LINES])), st.booleans())
@example([BEGIN, LINES[0], b"mine", END], False)
@example([LINES[0], END, LINES[1], END, b"mine"], True)
@example([b"a", BEGIN_JOINED, b"b", BEGIN_JOINED, LINES[0]], False)
def test_any_file_comes_to_one_block_and_stays_so(lines: list[bytes], final: bool) -> None:
    """However markers were broken or doubled: a write leaves one block, the next the same, a removal no marker."""
    content = b"\n".join(lines) + (b"\n" if final else b"")
    once = split(content, OURS).render(LINES)
    rows = once.replace(b"\r\n", b"\n").split(b"\n")
    assert sum(row in (BEGIN, BEGIN_JOINED) for row in rows) == rows.count(END) == 1
    assert split(once, OURS).render(LINES) == once
    left = split(once, OURS).outside.replace(b"\r\n", b"\n").split(b"\n")
    assert not {BEGIN, BEGIN_JOINED, END} & set(left)


def test_marker_text_in_a_comment_is_no_marker() -> None:
    """Only a whole line is a marker; text around it makes it the owner's."""
    owner = b"# see " + BEGIN + b"\n" + BEGIN + b" since May\n " + END + b"\n# BEGIN routecast\n"
    assert split(owner, OURS) == Parts(owner)


def test_a_block_without_its_end_takes_only_lines_that_are_ours() -> None:
    """The line END is missing: our run of lines goes, the owner's lines below stay."""
    content = b"a\n" + BEGIN + b"\n" + LINES[0] + b"\n10.0.0.5 nas\n" + LINES[1] + b"\n"
    assert split(content, OURS) == Parts(b"a\n", b"10.0.0.5 nas\n" + LINES[1] + b"\n", (LINES[0],))


def test_a_block_without_its_begin_takes_only_lines_that_are_ours() -> None:
    """The line BEGIN is missing: our run of lines above END goes, the owner's stay."""
    content = b"a\n" + LINES[0] + b"\nb\n" + LINES[1] + b"\n" + END + b"\nc\n"
    assert split(content, OURS) == Parts(b"a\n" + LINES[0] + b"\nb\n", b"c\n", (LINES[1],))


def test_of_two_blocks_one_stays_in_the_place_of_the_first() -> None:
    """Both are ours; what the owner wrote between and below stays, each line on its own."""
    content = b"a\n" + BLOCK + b"b" + b"\n" + BLOCK.replace(BEGIN, BEGIN_JOINED) + b"c"
    assert split(content, OURS) == Parts(b"a\n", b"b\nc", (*LINES, *LINES))
    assert split(content, OURS).render(LINES) == b"a\n" + BLOCK + b"b\nc"


def test_a_block_that_never_ended_stops_at_the_next() -> None:
    """A second BEGIN ends the first block: the owner's lines between them stay."""
    content = BEGIN + b"\n" + LINES[0] + b"\nmine\n" + BLOCK
    assert split(content, OURS).outside == b"mine\n"


def test_a_file_that_an_editor_converted_is_read_as_before() -> None:
    """With CRLF everywhere the block is still ours, and its joint goes away with both of its bytes."""
    content = Parts(b"127.0.0.1 localhost").render(LINES).replace(b"\n", b"\r\n")
    assert split(content, OURS) == Parts(b"127.0.0.1 localhost", lines=LINES)


def test_a_blank_line_that_the_owner_added_above_a_joined_block_stays() -> None:
    """The joint belongs to the block only while it closes the owner's line."""
    content = Parts(b"a").render(LINES).replace(b"a\n", b"a\n\n")
    assert split(content, OURS).outside == b"a\n\n"


def test_a_block_at_the_end_without_line_end_is_whole() -> None:
    """An editor that drops the last line end does not break the block."""
    assert split(b"a\n" + BLOCK.removesuffix(b"\n"), OURS) == Parts(b"a\n", b"", LINES)


def test_four_megabytes_are_fine() -> None:
    """A blocklist of 4 MB in a hosts file comes through to the byte."""
    owner = b"0.0.0.0 ads.example.com\r\n" * 170_000
    assert split(split(owner, OURS).render(LINES), OURS).outside == owner
