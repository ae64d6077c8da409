"""Hypothesis' way to write manifests as people and tools write them: the place of one value is known in each."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

NAME, NAMESPACE, KEY = "service-registry", "kube-system", "services.json"

OTHERS = [
    'other.json: \'{"a": "b"}\'',
    "other.txt: plain text # comment",
    "other.txt: |-\n  a\n\n  # b\n # less\n#none",
    "other.txt: >+ # folded\n    a\n    b\n\n",
    'quoted: "a\\n\\u00e9\U0001f600"',
    "empty:",
    "anchored: &x a\nalias: *x",
    "7: not a text key",
    "many:\n  lines\n  of it",
]
METADATA = [
    "metadata: {name: service-registry, namespace: kube-system}",
    "metadata:\n  # c\n  name: service-registry\n  labels: {a: b}\n  annotations:\n    x: |\n      y\n\n",
    'metadata: {"name": "service-registry", "namespace": null}',
    "metadata:\n    namespace: ''\n    name: service-registry # c",
]
AROUND = [
    "apiVersion: v1",
    "# comment",
    "binaryData:\n  services.json: aGk=",
    "",
    "immutable: false # c",
    "x: {y: [1, 2]}",
]
BEFORE = [
    "",
    "# comment\n",
    "%YAML 1.1\n---\n",
    "--- # first\n",
    "kind: ConfigMap\nmetadata: {name: service-registry, namespace: other}\ndata: {services.json: '{}'}\n---\n",
    "just: [a, document]\n...\n---\n",
    "kind: Secret\nmetadata: {name: service-registry}\ndata:\n  services.json: e30=\n---\n",
]
AFTER = [
    "",
    "# end\n",
    "---\n",
    "...\n# end",
    "---\nkind: ConfigMap\nmetadata: {name: service-registry}\ndata:\n  services.json: |\n    {}\n",
    "---\na: |\n  b",
]
VALUES = {
    "plain": "nothing-here",
    "single": "'{\"a\": 1}'",
    "double": '"{\\"a\\":\\n1}"',
    "lines": "plain\n    text\n    in lines",
    "empty": "",
}
BLOCKS = ['{IND}{\n{IND}  "a": 1,\n\n{IND}  "b": "# none"}\n', "{IND}{}\n\n\n", "{IND}a\n{IND}  # b\n", ""]
HEADERS = ["|", "|-", "|+", ">", ">-", "|{N}", "|{N}-"]
COMMENTS = ["", " # why", "  # | 'x'", "\t# tab"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file's text, cut round the value: its first line has a comment, and then come the other lines of it."""

    before: str
    value: str
    comment: str
    lines: str
    after: str

    @property
    def text(self) -> str:
        """The whole."""
        return self.before + self.value + self.comment + self.lines + self.after

    def map(self, change: Callable[[str], str]) -> "Manifest":
        """Return the manifest with each part changed."""
        return Manifest(*map(change, (self.before, self.value, self.comment, self.lines, self.after)))


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" if line.strip() else f"{line}\n" for line in text.split("\n"))


@st.composite
def blocks(draw: st.DrawFn) -> Manifest:
    """Write a manifest in block style, alone or in a List, with the value in any style."""
    in_list = draw(st.booleans())
    base = "  " if in_list else ""
    indent = base + draw(st.sampled_from(["  ", "    ", " "]))
    around = draw(st.lists(st.sampled_from(AROUND), unique=True, max_size=3))
    head = ["kind: ConfigMap", draw(st.sampled_from(METADATA)), *around]
    split = draw(st.integers(0, len(head)))
    others = draw(st.lists(st.sampled_from(OTHERS), unique_by=lambda text: text.split(":")[0], max_size=3))
    at = draw(st.integers(0, len(others)))
    gap = st.sampled_from(["", f"{indent}# comment\n", "\n", f"{base}# less\n", f"{indent}   # more\n"])

    before = draw(st.sampled_from(BEFORE))
    before += "kind: List\nitems:\n" if in_list else ""
    top = (
        "".join(_indented(line, base) for line in head[:split]) + f"{base}data:{draw(st.sampled_from(['', ' # c']))}\n"
    )
    top += "".join(draw(gap) + _indented(other, indent) for other in others[:at]) + draw(gap)
    before += f"- {top[2:]}" if in_list and top[:2] == "  " else f"-\n{top}" if in_list else top
    before += f"{indent}{KEY}:"

    style, comment = draw(st.sampled_from([*VALUES, "block"])), draw(st.sampled_from(COMMENTS))
    if style == "block":
        depth = draw(st.sampled_from([1, 2, 4]))
        header = draw(st.sampled_from(HEADERS)).replace("{N}", str(depth))
        lines = draw(st.sampled_from(BLOCKS)).replace("{IND}", indent + " " * depth)
        before, value, lines = f"{before} ", header, f"\n{lines}"
    else:
        before, value, lines = before + (" " if style != "empty" else ""), VALUES[style], "\n"
    first = draw(gap)
    after = "" if style == "block" and "more" in first else first  # so deep it would be the value's own
    after += "".join(_indented(other, indent) + draw(gap) for other in others[at:])
    after += "".join(_indented(line, base) for line in head[split:]) + draw(st.sampled_from(AFTER))
    return Manifest(before, value, comment, lines, after)


@st.composite
def flows(draw: st.DrawFn) -> Manifest:
    """Write a manifest in braces, as JSON or not, with the value in quotes."""
    others = [f'"{key}": "x"' for key in draw(st.lists(st.sampled_from("abc"), unique=True))]
    data = draw(st.permutations([*others, "{VALUE}"]))
    joint = draw(st.sampled_from([", ", ",\n    ", ","]))
    whole = '{"kind": "ConfigMap", "metadata": {"name": "%s"}, "data": {%s}}'
    text = whole % (NAME, joint.join(data))
    if draw(st.booleans()):
        text = f'{{"kind": "List", "items": [{text}]}}'
    key = draw(st.sampled_from([f'"{KEY}": ', f"{KEY}: ", f'"{KEY}":']))
    before, after = text.split("{VALUE}")
    return Manifest(before + key, json.dumps(draw(st.sampled_from(["{}", '{"a": "ß"}', ""]))), "", "", after)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Write a manifest in any style, with line ends and a beginning of any kind, and perhaps without its last one."""
    made = draw(blocks() | flows())
    if draw(st.booleans()):
        made = made.map(lambda part: part.replace("\n", "\r\n"))
    if draw(st.booleans()):
        last = "after" if made.after else "lines"
        made = replace(made, **{last: getattr(made, last).removesuffix("\n").removesuffix("\r")})
    if draw(st.booleans()) and not made.before.startswith("%"):
        made = replace(made, before=f"\ufeff{made.before}")
    return made
