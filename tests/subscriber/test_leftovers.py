from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.models import Cluster, Registry
from subscriber.leftovers import (
    STOP_CRONTAB,
    Kind,
    Line,
    cron_left,
    find_names,
    names_left,
    routes_left,
    without_names,
)
from subscriber.targets.hosts_block import BEGIN, BEGIN_JOINED, END, Parts
from tests.registries import REFERENCE

ZONE = "mycloud.local"
HOSTS = Path("/etc/hosts")
HEADER = b"# MyNodeOne Services - Auto-generated on Thu Nov  6 18:30:00 UTC 2025"
FOOTER = b"# End MyNodeOne Services"
NAMES = (
    b"100.67.243.10\tphotos.mycloud.local",
    b"100.67.243.11        chat.mycloud.local  Chat2.mycloud.local",
    b"fd7a:115c:a1e0::10 \t mycloud.local ",
)
OURS = (b"100.67.243.10\tphotos.mycloud.local", b"100.67.243.11\tchat.mycloud.local")

DOUBTFUL = (
    b"100.67.243.12 nas.mycloud.local # mine",
    b"100.67.243.12 nas.elsewhere.local",
    b"100.67.243.12 nas.mycloud.local nas",
    b"100.67.243.12 notmycloud.local",
    b"100.67.243.999 nas.mycloud.local",
    b" 100.67.243.12 nas.mycloud.local",
    b"        nas.mycloud.local",
    b"100.67.243.12",
    b"100.67.243.12 nas\xe4.mycloud.local",
    b"100.67.243.12\x0bnas.mycloud.local",
    b"0.0.0.0 ads.example.com",
)
"""Lines that could be the owner's, wherever they stand."""

old_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)
ends = st.sampled_from([b"\n", b"\r\n"])
sure_owner_lines = st.sampled_from(
    [b"127.0.0.1\tlocalhost", b"", b"\x00\xff\xe4", b"  " + HEADER, b"# MyNodeOne ServicesX", b"# Mine", *DOUBTFUL]
) | st.binary(max_size=30).filter(lambda line: b"\n" not in line and b"MyNodeOne" not in line)
any_lines = sure_owner_lines | st.sampled_from([HEADER, HEADER[:20], FOOTER, *NAMES, BEGIN, BEGIN_JOINED, END, *OURS])


def _block(*lines: bytes, end: bytes = b"\n") -> bytes:
    return b"".join(line + end for line in (HEADER, *lines))


@given(st.lists(sure_owner_lines), old_names, st.booleans(), st.lists(sure_owner_lines), ends, st.booleans())
def test_every_byte_around_a_block_stays(
    above: list[bytes], names: list[bytes], closed: bool, below: list[bytes], end: bytes, final: bool
) -> None:
    """Whatever the owner wrote above and below it, with whatever line ends: only the block goes."""
    before = b"".join(line + end for line in above)
    after = b"".join(line + end for line in (b"", *below))
    block = _block(*names, *([FOOTER] if closed else []), end=end)
    if not final:
        after, block = b"", block.removesuffix(b"\n").removesuffix(b"\r")
    assert without_names(before + block + after, ZONE) == before + after


@given(st.lists(any_lines, max_size=12), ends, st.booleans())
@example([HEADER, HEADER, NAMES[0], FOOTER, NAMES[1]], b"\n", True)
@example([HEADER, NAMES[0], FOOTER, FOOTER, NAMES[0]], b"\n", False)
@example([BEGIN, HEADER, NAMES[0], HEADER, NAMES[0], END, NAMES[0]], b"\n", True)
def test_a_second_removal_finds_nothing(lines: list[bytes], end: bytes, final: bool) -> None:
    """However a file is mixed up: what is left after a removal is the owner's, and in the order that it had."""
    content = b"".join(line + end for line in lines)
    content = content if final else content.removesuffix(end)
    once = without_names(content, ZONE)
    assert not find_names(once, ZONE).blocks
    assert without_names(once, ZONE) == once
    left = iter(content.replace(BEGIN_JOINED, BEGIN).splitlines(keepends=True))
    assert all(line in left for line in once.replace(BEGIN_JOINED, BEGIN).splitlines(keepends=True))


@given(st.lists(any_lines.filter(lambda line: b"routecast" not in line), max_size=8), st.binary(max_size=9), ends)
@example([b"a", HEADER, NAMES[0]], b"", b"\n")
@example([HEADER, NAMES[0]], b"", b"\n")
def test_our_own_block_gives_the_owner_the_same_back(lines: list[bytes], last: bytes, end: bytes) -> None:
    """Removed with our block in the file, or before it came: the owner's bytes are the same, joined line ends too."""
    owner = b"".join(line + end for line in lines) + last.replace(b"\n", b"")
    for before in (owner, owner.removesuffix(b"\n")):
        with_ours = Parts(before, owner).render(OURS)
        assert without_names(with_ours, ZONE) == Parts(without_names(before, ZONE), without_names(owner, ZONE)).render(
            OURS
        )


def test_what_stands_in_our_own_block_is_ours_to_heal() -> None:
    """A header that got in there makes no old block of our lines; what stands below our block is looked at again."""
    ours = Parts(b"").render([HEADER, *OURS])
    assert without_names(ours + _block(*NAMES), ZONE) == ours


@pytest.mark.parametrize("doubtful", DOUBTFUL)
def test_a_block_ends_before_what_could_be_the_owners(doubtful: bytes) -> None:
    """Another zone, a comment, a name beside the zone's, an address that is none: that line and all below it stay."""
    content = b"127.0.0.1 localhost\n" + _block(NAMES[0], doubtful, NAMES[1])
    found = find_names(content, ZONE)
    assert found.blocks == (range(1, 3),)
    assert [line.number for line in found.unsure] == [4]
    assert without_names(content, ZONE) == b"127.0.0.1 localhost\n" + doubtful + b"\n" + NAMES[1] + b"\n"


@pytest.mark.parametrize("below", [b"", b"\n", b"# a comment\n", b"10.0.0.5 nas\n", NAMES[0].replace(b".", b"_")])
def test_a_header_alone_is_kept(below: bytes) -> None:
    """It could be the owner's own comment; without names it does no harm."""
    content = HEADER + b"\n" + below
    assert without_names(content, ZONE) == content


def test_an_empty_block_that_is_closed_goes() -> None:
    """Nobody else writes both of its comments, one below the other."""
    assert without_names(b"a\n" + HEADER + b"\n" + FOOTER + b"\nb\n", ZONE) == b"a\nb\n"


@pytest.mark.parametrize("header", [b"# MyNodeOne Services", b"# MyNodeOne Services (2025-11-06)", HEADER])
def test_a_header_may_carry_a_date(header: bytes) -> None:
    """The text behind it is no part of what it is known by."""
    assert without_names(header + b"\n" + NAMES[0] + b"\n" + FOOTER, ZONE) == b""


def test_the_header_of_its_first_releases_is_known() -> None:
    """They wrote a small letter, and always closed the block."""
    content = b"# MyNodeOne services\n" + NAMES[1] + b"\n# End MyNodeOne services\n"
    assert without_names(content, ZONE) == b""


def test_without_a_zone_nothing_is_sure() -> None:
    """No snapshot was accepted yet: nothing is said to be the old system's, but the doubt is told."""
    left, unsure = names_left(HOSTS, _block(*NAMES), None)
    assert left is None
    assert unsure == (Line(2, NAMES[0].decode()),)
    assert names_left(HOSTS, _block(*NAMES), Registry(cluster=Cluster(name="x")))[0] is None


def test_what_the_old_names_do_is_told() -> None:
    """Above our block the old line wins; a name that the registry does not have would be gone."""
    old = _block(b"10.9.9.9\tphotos.mycloud.local", b"100.67.243.11\tchat.mycloud.local\told.mycloud.local")
    above, _ = names_left(HOSTS, b"x\n" + old + Parts(b"").render(OURS), REFERENCE)
    assert above is not None
    assert (above.kind, above.where) == (Kind.NAMES, "/etc/hosts, lines 2-4")
    assert above.wins == {"photos.mycloud.local": "10.9.9.9"}
    assert above.only_here == ("old.mycloud.local",)
    assert above.entries == ("chat.mycloud.local", "old.mycloud.local", "photos.mycloud.local")
    below, _ = names_left(HOSTS, Parts(b"").render(OURS) + old, REFERENCE)
    assert below is not None
    assert below.wins == {}
    alone, _ = names_left(HOSTS, old + b"\n" + old, REFERENCE)
    assert alone is not None
    assert alone.where == "/etc/hosts, lines 1-3, 5-7"
    assert alone.wins == above.wins


def test_host_names_that_only_the_old_routes_have_are_told() -> None:
    """By the registry's routes for this very node; without registry or node nobody knows."""
    content = b'rule: "Host(`Photos.curiios.com`)"\nrule: "Host(`gone.curiios.com`) || Host(`x.org`)"\n'
    path = Path("/etc/traefik/dynamic/mynodeone-routes.yml")
    hosts = ("gone.curiios.com", "photos.curiios.com", "x.org")
    left = routes_left(path, content, REFERENCE, "contabo-vps")
    assert (left.kind, left.where, left.lines, left.entries) == (Kind.ROUTES, str(path), (), hosts)
    assert left.only_here == ("gone.curiios.com", "x.org")
    for registry, node in ((None, "contabo-vps"), (REFERENCE, None), (REFERENCE, "nobody")):
        left = routes_left(path, content, registry, node)
        assert (left.entries, left.only_here) == (hosts, ())


def test_cron_lines_are_found_with_what_stops_them() -> None:
    """Only lines that run the two scripts, wherever they lie; commented ones run nothing."""
    content = (
        b"MAILTO=root\n# */5 * * * * ~/MyNodeOne/scripts/sync-dns.sh\n"
        b"*/5 * * * * cd ~/MyNodeOne && sudo ./scripts/sync-dns.sh >/dev/null\n"
        b"*/5 * * * * /root/my-sync-dns.sh; sync-dns.shx\n*/5 * * * * root sync-vps-routes.sh"
    )
    crontab = cron_left(Path("/var/spool/cron/crontabs/root"), content)
    assert crontab is not None
    assert [line.number for line in crontab.lines] == [3, 5]
    assert crontab.command == STOP_CRONTAB
    folder = cron_left(Path("/etc/cron.d/my node"), content)
    assert folder is not None
    assert folder.where == "/etc/cron.d/my node, lines 3, 5"
    assert folder.command == "sed -i -e /sync-dns/d -e /sync-vps-routes/d '/etc/cron.d/my node'"
    assert cron_left(HOSTS, b"# sync-dns.sh\n") is None
    one = cron_left(HOSTS, b"sync-dns.sh")
    assert one is not None
    assert one.where == "/etc/hosts, line 1"


def test_four_megabytes_are_fine() -> None:
    """A blocklist of 4 MB in a hosts file comes through to the byte, without its block."""
    owner = b"0.0.0.0 ads.example.com\r\n" * 170_000
    assert without_names(owner + _block(*NAMES) + owner, ZONE) == owner + owner
