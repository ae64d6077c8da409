"""How two registries differ, in the words of the registry."""

from hypothesis import given

from cli.stream.changes import KINDS, Change, Op, changes, headlines
from common.models import Cluster, Domain, Node, Registry, Role, Routing, Scheme, Service, Vps
from tests.registries import REFERENCE, registries, with_service, without_service

IMMICH = REFERENCE.services["immich"]


def _said(before: Registry, after: Registry, kind: str) -> list[str]:
    return [str(change) for change in changes(before, after) if change.kind == kind]


@given(registries())
def test_nothing_differs_from_itself(registry: Registry) -> None:
    """Equal registries have no changes."""
    assert changes(registry, registry) == ()


@given(registries(), registries())
def test_the_way_back_is_the_mirror(before: Registry, after: Registry) -> None:
    """What was added one way is removed the other way, with the same words."""
    mirrored = {Op.ADDED: Op.REMOVED, Op.REMOVED: Op.ADDED, Op.CHANGED: Op.CHANGED}
    back = [Change(mirrored[it.op], it.kind, it.name, it.after, it.before) for it in changes(before, after)]
    assert sorted(back, key=lambda it: (it.kind, it.name)) == sorted(
        changes(after, before), key=lambda it: (it.kind, it.name)
    )


@given(registries(), registries())
def test_the_changes_lead_from_one_to_the_other(before: Registry, after: Registry) -> None:
    """Applied to what is said of the first, they give exactly what is said of the second: none is missing."""
    for kind, describe in KINDS.items():
        entries = dict(describe(before))
        for change in changes(before, after):
            if change.kind == kind:
                assert entries.pop(change.name, None) == change.before
                if change.after is not None:
                    entries[change.name] = change.after
        assert entries == describe(after)


@given(registries(), registries())
def test_registries_that_differ_have_changes(before: Registry, after: Registry) -> None:
    """No difference of content goes unsaid."""
    assert bool(changes(before, after)) == (before != after)


def test_a_new_app_is_a_service_a_name_and_its_routes() -> None:
    """Installing an app shows what every node will do about it."""
    before = without_service("immich")
    assert _said(before, REFERENCE, "services") == [
        "+ immich: photos, 100.67.243.10 port 80, public, immich/immich-server"
    ]
    assert _said(before, REFERENCE, "names") == ["+ photos.mycloud.local -> 100.67.243.10"]
    assert _said(before, REFERENCE, "routes") == [
        "+ photos.curiios.com -> http://100.67.243.10:80 on 100.68.225.92, 100.70.123.45",
        "+ photos.vinaysachdeva.com -> http://100.67.243.10:80 on 100.68.225.92, 100.70.123.45",
    ]


def test_an_app_made_private_loses_its_routes_only() -> None:
    """Privacy shows as removed routes; the name stays."""
    after = with_service("immich", IMMICH.model_copy(update={"public": False}))
    assert _said(REFERENCE, after, "names") == []
    assert [said[:2] for said in _said(REFERENCE, after, "routes")] == ["- ", "- "]
    assert _said(REFERENCE, after, "services") == [
        "~ immich: photos, 100.67.243.10 port 80, private, immich/immich-server (was public)"
    ]


def test_a_change_says_only_what_is_gone() -> None:
    """What was is said without what still holds; when something was only added, it is said whole."""
    moved = with_service("immich", IMMICH.model_copy(update={"ip": "100.67.243.99"}))
    assert _said(REFERENCE, moved, "names") == ["~ photos.mycloud.local -> 100.67.243.99 (was 100.67.243.10)"]
    more = REFERENCE.model_copy(update={"domains": {"curiios.com": Domain(description="Personal site, new")}})
    assert _said(REFERENCE, more, "domains") == [
        "~ curiios.com: Personal site, new (was Personal site)",
        "- vinaysachdeva.com: Professional site",
    ]
    extended = with_service("immich", IMMICH.model_copy(update={"middlewares": ("authelia@file",)}))
    assert _said(REFERENCE, extended, "services") == [
        "~ immich: photos, 100.67.243.10 port 80, public, authelia@file, immich/immich-server "
        "(was photos, 100.67.243.10 port 80, public, immich/immich-server)"
    ]


def test_every_field_is_said() -> None:
    """Whatever can be in a registry is in the words: the bare and the full form of each kind."""
    bare = Registry(
        services={"x": Service(subdomain="")},
        domains={"a.com": Domain()},
        vps_nodes=(Vps(tailscale_ip="100.64.0.1"),),
        routing={"x": Routing()},
        nodes=(Node(name="n", role=Role.WORKER, address="100.64.0.2"),),
    )
    assert [str(change) for change in changes(Registry(), bare)] == [
        "+ x: @, no address, private",
        "+ a.com: no description",
        "+ 100.64.0.1: no public address",
        "+ x: round-robin, domains none, VPSs none",
        "+ n: worker at 100.64.0.2",
    ]
    full = Registry(
        cluster=Cluster(name="c", domain="lan", control_plane_ip="100.64.0.9"),
        services={
            "x": Service(
                subdomain="x",
                ip="fd7a::1",
                port=443,
                public=True,
                scheme=Scheme.HTTPS,
                middlewares=("auth@file",),
                namespace="ns",
                service="svc",
            )
        },
        domains={"a.com": Domain()},
        vps_nodes=(Vps(tailscale_ip="100.64.0.1", public_ip="203.0.113.1", location="eu", provider="contabo"),),
        routing={"x": Routing(domains=("a.com",), vps_nodes=("100.64.0.1",))},
        nodes=(Node(name="n", role=Role.LAPTOP, address="100.64.0.2", label="Ann's"),),
    )
    assert [str(change) for change in changes(Registry(), full)] == [
        "+ control plane: 100.64.0.9",
        "+ name: c",
        "+ zone: lan.local",
        "+ x: x, fd7a::1 port 443, public, https, auth@file, ns/svc",
        "+ x.lan.local -> fd7a::1",
        "+ x.a.com -> https://[fd7a::1]:443 through auth@file on 100.64.0.1",
        "+ a.com: no description",
        "+ 100.64.0.1: 203.0.113.1, eu, contabo",
        "+ x: round-robin, domains a.com, VPSs 100.64.0.1",
        '+ n: laptop at 100.64.0.2, "Ann\'s"',
    ]


def test_headlines_begin_with_what_was_written() -> None:
    """A service that comes is told before its name and its routes, which follow from it."""
    first, *others = headlines(changes(without_service("immich"), REFERENCE))
    assert first == "+ service immich"
    assert "+ name photos.mycloud.local" in others


@given(registries(), registries())
def test_headlines_tell_every_change_once(before: Registry, after: Registry) -> None:
    """However much changed, nothing is left out."""
    assert len(headlines(changes(before, after))) == len(changes(before, after))
