"""Our marked block in a file that is somebody else's. Pure, on bytes: every byte outside the block stays as it was.

A marker is a whole line, equal to ours up to the line end; text that only contains one is none. When the owner's last
line has no line end, the one that we add belongs to the block: `BEGIN_JOINED` says so, and it goes away with it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

BEGIN = b"# BEGIN routecast - managed, do not edit"
BEGIN_JOINED = b"# BEGIN routecast - managed, do not edit (no line end before this block)"
END = b"# END routecast"


@dataclass(frozen=True, slots=True)
class Parts:
    """A file taken apart: the owner's bytes before and after the block, and the lines in it."""

    before: bytes
    after: bytes = b""
    lines: tuple[bytes, ...] = ()
    """Without markers and line ends; of several blocks those of all."""

    @property
    def outside(self) -> bytes:
        """The file as if we had never been there."""
        return self.render(())

    def render(self, lines: Sequence[bytes]) -> bytes:
        """Return the file with a block of `lines` in its place; of none, without a block."""
        open_end = bool(self.before) and not self.before.endswith(b"\n")
        joint = b"\n" if open_end else b""
        if not lines:
            # Whatever the owner wrote below the block must not run into the line above it.
            return self.before + (joint if self.after else b"") + self.after
        block = [BEGIN_JOINED if open_end else BEGIN, *lines, END, b""]
        return self.before + joint + b"\n".join(block) + self.after


def split(content: bytes, ours: Collection[bytes]) -> Parts:
    """Return the parts of a file; `ours` are the lines that we may have written.

    Several blocks count as one, in the place of the first. A block that lost a marker is the other marker with the run
    of lines next to it that are in `ours`: never a line of the owner.
    """
    lines = _split_lines(content)
    spans = _find_spans([_bare(line) for line in lines], ours)
    if not spans:
        return Parts(content)
    pieces: list[bytes] = []
    inside: list[bytes] = []
    end = 0
    for start, stop in spans:
        pieces.append(_without_joint(b"".join(lines[end:start]), lines[start]))
        inside += [bare for line in lines[start:stop] if (bare := _bare(line)) not in (BEGIN, BEGIN_JOINED, END)]
        end = stop
    return _joined([*pieces, b"".join(lines[end:])], tuple(inside))


def _joined(pieces: list[bytes], inside: tuple[bytes, ...]) -> Parts:
    """Put the owner's pieces after the first block together again, each line on its own."""
    before, *rest = pieces
    after = b""
    for piece in reversed(rest):
        after = Parts(piece, after).outside
    return Parts(before, after, inside)


def _find_spans(lines: list[bytes], ours: Collection[bytes]) -> list[tuple[int, int]]:
    """Return where our blocks are, as ranges of lines."""
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(lines):
        start = at
        if lines[at] in (BEGIN, BEGIN_JOINED):
            at = _end_of_block(lines, at + 1, ours)
            spans.append((start, at))
        elif lines[at] == END:
            floor = spans[-1][1] if spans else 0
            while start > floor and lines[start - 1] in ours:
                start -= 1
            at += 1
            spans.append((start, at))
        else:
            at += 1
    return spans


def _end_of_block(lines: list[bytes], first: int, ours: Collection[bytes]) -> int:
    """Return the first line after a block's content that starts at `first`: past its END, else past our lines."""
    for at in range(first, len(lines)):
        if lines[at] == END:
            return at + 1
        if lines[at] in (BEGIN, BEGIN_JOINED):
            break
    at = first
    while at < len(lines) and lines[at] in ours:
        at += 1
    return at


def _without_joint(piece: bytes, marker: bytes) -> bytes:
    """Return the owner's bytes above a block without the line end that is the block's (two bytes in a converted file).

    Where lines were added or removed above it since, the line end there is the owner's.
    """
    if _bare(marker) != BEGIN_JOINED:
        return piece
    open_end = piece.removesuffix(b"\r\n" if marker.endswith(b"\r\n") else b"\n")
    return open_end if open_end and not open_end.endswith(b"\n") else piece


def _split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; only a line feed ends one (a lone carriage return is a byte like others)."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + [content.rpartition(b"\n")[2]]


def _bare(line: bytes) -> bytes:
    """Return a line without its end, also without the carriage return that an editor has put there."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
