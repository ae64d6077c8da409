"""Write texts as YAML, and find where written ones end. Pure; knows nothing of manifests."""

import json
import re

import yaml

_UNSAFE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML takes for a line break, or does not let through as it is."""
_HEADER = re.compile(r"[|>]([-+0-9]*)([ \t]+#[^\r\n]*)?[ \t]*(\r?\n|$)")
"""Of a scalar in lines: indicators, comment."""
_NEXT = re.compile(r"(?:[ \t]*\r?\n)*( *)")
"""Up to the first line that is not blank."""
_REST = re.compile(r"([ \t]+#[^\r\n]*)?[ \t]*(\r?\n|$)")
"""What may stand behind a value without belonging to it."""


def plain(text: str) -> str:
    """Return a key or name as it is; in quotes when it would be read as something else than this text."""
    return text if yaml.safe_load(text) == text else quoted(text)


def quoted(text: str) -> str:
    """Return a text in double quotes, on one line; it is JSON too."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def fits_in_lines(text: str) -> bool:
    """Tell whether a text can stand in lines of its own: JSON can, whatever else there is may need its blanks."""
    return text.startswith(("{", "[")) and not _UNSAFE.search(text)


def in_lines(text: str, depth: int, comment: str, newline: str) -> str:
    """Return a text in lines indented by `depth`, with the comment that stands behind its key already."""
    lines = [f"{' ' * depth}{line}" if line else "" for line in text.rstrip("\n").split("\n")]
    return newline.join([f"|{comment}", *lines, ""])


def would_take_in(text: str, at: int, depth: int) -> bool:
    """Tell whether lines that end at `at`, indented by `depth`, would take in what stands there: a deep comment."""
    found = _NEXT.match(text, at)
    return found is not None and len(found[1]) >= depth


def newline_of(text: str) -> str:
    """Return how the lines of a file end."""
    return "\r\n" if "\r\n" in text else "\n"


def line_end(text: str, at: int) -> int:
    """Return where the line after the one at `at` begins."""
    return text.find("\n", at) + 1 or len(text)


def rest_of_line(text: str, at: int) -> str | None:
    """Return the comment behind a value that ends at `at`, with the blanks before it; None: something else follows."""
    found = _REST.match(text, at)
    return None if found is None else found[1] or ""


def header_comment(text: str, start: int) -> str:
    """Return the comment behind the ``|`` of a scalar in lines, with the blanks before it."""
    found = _HEADER.match(text, start)
    return (found and found[2]) or ""


def end_of_lines(text: str, start: int, column: int) -> tuple[int, int | None]:
    """Return where a scalar in lines ends that begins at `start`, behind a key at `column`, and how deep it stands.

    Its first line says that, unless its header does; None: it has no lines. Less deep comments are not its own.
    """
    found = _HEADER.match(text, start)
    digits = ((found and found[1]) or "").strip("-+")
    depth = column + int(digits) if digits else None
    at = end = line_end(text, start)
    while at < len(text):
        stop = line_end(text, at)
        line = text[at:stop]
        if line.strip():
            indent = len(line) - len(line.lstrip(" "))
            depth = max(indent, column + 1) if depth is None else depth
            if indent < depth:
                break
            end = stop
        at = stop
    return end, depth
