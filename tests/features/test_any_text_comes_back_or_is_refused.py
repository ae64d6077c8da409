"""Any text in any field is refused with a reason, or comes back; and no file of a node changes its structure by it.

The forms in which texts come back are told in `tests.features.texts.forms`.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from common.codec import digest_of
from common.errors import EditRefused, SnapshotRejected
from common.models import Registry
from common.snapshot import Snapshot, registry_value
from publisher.pipeline.parse import parse
from publisher.registry.plan import Documents, EditPlan, plan_edit
from publisher.registry.splice import splice
from subscriber.targets.traefik import TraefikTarget
from tests.features.texts import by_hand, edited
from tests.features.texts.any_text import any_text, places, registries
from tests.features.texts.files import check_dnsmasq, check_hosts, check_traefik, received
from tests.features.texts.forms import NO_FORM
from tests.publisher.pipeline.parsing import CALM, Texts, documents, texts
from tests.publisher.registry.editing import NOW, written
from tests.registries import REFERENCE, snapshot
from tests.subscriber.policies import TAKES_ANYTHING
from tests.subscriber.targets.traefik_server import TraefikServer, needs_traefik

many = settings(CALM, max_examples=2000)
some = settings(CALM, max_examples=500)

SOME_FILES = 36
"""How many a real Traefik is given."""

_ours = re.compile(rb"^# (BEGIN|END) routecast.*$", re.MULTILINE)
owners = st.lists(
    st.sampled_from([b"127.0.0.1\tlocalhost", b"100.67.243.10\tphotos.mycloud.local", b"# END", b"", b"\xff\x00\r"])
    | st.binary(max_size=20),
    max_size=4,
).map(lambda lines: _ours.sub(b"", b"\n".join(lines)))


def check_files(registry: Registry, owner: bytes = b"") -> list[bytes]:
    """See that a registry gets to nodes as it is, and what they write; return the routes files."""
    assert received(registry) == registry
    check_hosts(registry, owner)
    check_dnsmasq(registry)
    return check_traefik(registry)


def as_one(text: str) -> str:
    """Return a text as JSON reads it: two halves of a letter are that letter."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def planned(before: Documents, field: edited.Field, text: str) -> EditPlan | None:
    """Plan an edit; None when it is refused, which it is with reasons."""
    try:
        return plan_edit(before, field.edit(text), NOW)
    except EditRefused as e:
        reasons = e.faults
    assert reasons
    assert all(reason.strip() for reason in reasons)
    return None


FORMS = [
    ("subdomain", " Photos. ", "photos"),
    ("subdomain", "Bücher", "xn--bcher-kva"),
    ("subdomain", " @ ", ""),
    ("ip", " FD7A:0::0001\n", "fd7a::1"),
    ("public_ip", "45.8.133.193 ", "45.8.133.193"),
    ("domain", "例え。Example.", "xn--r8jz45g.example"),
    ("description", ' a "b"\tc\n', 'a "b" c'),
    ("location", "\x1b[31meu", "[31meu"),
    ("domains of a route", " Curiios.COM.", ("curiios.com",)),
    ("label of a node", "\u2028Vinay's `Mac` ", "Vinay's `Mac`"),
    ("label of a node", " ", "laptop"),
]
"""Field, text, and the one form in which it comes back."""


@pytest.mark.parametrize(("name", "text", "form"), FORMS)
def test_a_text_has_one_form_whichever_way_it_comes(name: str, text: str, form: Any) -> None:
    """By an edit it is written in its form, by hand it is read in it."""
    before = documents(texts())
    [by_edit] = [field for field in edited.FIELDS if field.name == name]
    [written_in] = [field for field in by_hand.FIELDS if field.name == name]
    plan = planned(before, by_edit, text)
    assert plan is not None
    assert by_edit.find(parse(written(before, plan), None).registry, form) == form
    assert written_in.find(parse(documents(written_in.put(text)), None).registry, form) == form


@many
@given(st.sampled_from(edited.FIELDS), any_text, owners)
def test_a_text_of_an_edit_comes_back_or_is_refused(field: edited.Field, text: str, owner: bytes) -> None:
    """What an edit takes is in the registry in its one form, and all else is refused, in words."""
    before, form = documents(texts()), field.form(text)
    plan = planned(before, field, text)
    if plan is not None:
        assert form is not NO_FORM
        read = parse(written(before, plan), None)
        assert field.find(read.registry, form) == form
        check_files(read.registry, owner)


@many
@given(st.sampled_from(by_hand.FIELDS), any_text.map(as_one), owners)
def test_a_text_by_hand_comes_back_or_is_named(field: by_hand.Field, text: str, owner: bytes) -> None:
    """What somebody writes is in the registry in its one form, or a problem names it, with a command that is one."""
    form, read = field.form(text), parse(documents(field.put(text)), None)
    for problem in read.problems:
        assert problem.message.strip()
        assert shlex.split(problem.mend)
    if all(problem.document != field.document for problem in read.problems):
        assert form is not NO_FORM
        assert field.find(read.registry, form) == form
    check_files(read.registry, owner)


@pytest.mark.parametrize("levels", [300, 100_000])
def test_a_value_that_is_nested_too_deep_is_named(levels: int) -> None:
    """Lists in lists may be JSON all the same: they stop neither the publisher nor, by more than words, an edit."""
    deep = "[" * levels + "]" * levels
    for field in by_hand.FIELDS:
        put = {name: data or {} for name, data in field.put("x").items()}
        content: Texts = {name: {k: text.replace('"x"', deep) for k, text in put[name].items()} for name in put}
        if content != put:
            read = parse(documents(content), None)
            assert [problem for problem in read.problems if problem.document == field.document], field
            check_files(read.registry)
            planned(documents(content), edited.FIELDS[0], "new")


def test_a_name_that_is_too_long_with_its_zone_is_refused_and_named() -> None:
    """Subdomain and zone are names, both together are none: no file has a line for it."""
    text = ".".join(["q" * 60] * 4)
    [by_edit] = [field for field in edited.FIELDS if field.name == "subdomain"]
    [written_in] = [field for field in by_hand.FIELDS if field.name == "subdomain"]
    assert planned(documents(texts()), by_edit, text) is None
    read = parse(documents(written_in.put(text)), None)
    assert {problem.entry for problem in read.problems} == {"immich"}
    assert check_hosts(read.registry, b"").keys() == {"grafana.mycloud.local"}
    assert check_traefik(read.registry) == []


@some
@given(st.sampled_from(edited.FIELDS), any_text)
def test_a_text_of_an_edit_comes_back_from_a_file(field: edited.Field, text: str) -> None:
    """In a folder it goes through YAML, which is read as it was written."""
    before = documents(texts())
    plan = planned(before, field, text)
    if plan is None:
        return
    after = written(before, plan)
    for name, keys in plan.writes.items():
        manifest = {"kind": "ConfigMap", "metadata": {"name": name}, "data": before[name].data}
        content = splice(yaml.safe_dump(manifest).encode(), name, "kube-system", keys)
        found = yaml.load(content, Loader=yaml.CSafeLoader)["data"]
        assert {key: value.rstrip("\n") for key, value in found.items()} == after[name].data


@some
@given(registries(), owners)
def test_whatever_stands_in_a_registry_files_keep_their_structure(content: Texts, owner: bytes) -> None:
    """Many texts and other values at once, in entries that else are right; on first contact and later."""
    first = parse(documents(content), None)
    check_files(first.registry, owner)
    check_files(parse(documents(content), REFERENCE).registry, owner)


@many
@given(st.data(), any_text, owners)
def test_a_node_takes_no_text_that_is_none_of_its_field(data: st.DataObject, text: str, owner: bytes) -> None:
    """A snapshot that is signed, but holds anything anywhere, is rejected as a whole, or harms no file."""
    value = registry_value(REFERENCE)
    put = data.draw(st.sampled_from(list(places(value))))
    put(text)
    try:
        digest = digest_of(value)
    except TypeError:  # half a letter: no JSON
        digest = ""
    whole = {**snapshot().model_dump(mode="json", by_alias=True), "registry": value, "digest": digest}
    try:
        found = Snapshot.from_body(json.dumps(whole).encode())
    except SnapshotRejected:
        return
    check_hosts(found.registry, owner)
    check_dnsmasq(found.registry)
    check_traefik(found.registry)


@needs_traefik
async def test_traefik_reads_the_files_without_an_error(tmp_path: Path) -> None:
    """A real one is given a few dozen of them, one after the other, and serves each router of each."""
    server = TraefikServer(tmp_path / "traefik")
    server.start()
    try:
        target = TraefikTarget(server.settings, "vps-1", TAKES_ANYTHING)
        for registry in _some_registries():
            names = {name for service in registry.services.values() for name in service.middlewares}
            others = {name.removesuffix("@file"): {"headers": {"frameDeny": True}} for name in names}
            defined = {"http": {"middlewares": others}} if others else {}
            (server.directory / "others.yml").write_bytes(orjson.dumps(defined))
            outcome = await target.apply(registry)
            assert outcome.checked == "traefik"
        assert "ERR" not in server.log.read_text()
    finally:
        server.stop()


def _some_registries() -> list[Registry]:
    """Return registries whose routes files differ from one another; of middlewares, only those a file can define."""
    found: dict[bytes, Registry] = {}

    @settings(CALM, max_examples=15 * SOME_FILES, database=None)
    @given(registries())
    def collect(content: Texts) -> None:
        registry = parse(documents(content), None).registry
        for name, service in registry.services.items():
            defined = tuple(each for each in service.middlewares if each.endswith("@file"))
            registry.services[name] = service.model_copy(update={"middlewares": defined})
        found.update(dict.fromkeys(check_files(registry), registry))

    collect()
    assert len(found) >= SOME_FILES
    return list(found.values())[-SOME_FILES:]
