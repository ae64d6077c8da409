"""What a Service asks for: by its name, by its annotations, by its ports."""

import pytest

from common.models import Cluster
from publisher.registry.discover import discover
from publisher.registry.wish import subdomain_of
from tests.publisher.registry.discovering import CLUSTER, KEY, OLD_KEY, only, proposed, service


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dashboard", "dashboard"),
        ("demo", "demo"),
        ("open-webui", "chat"),
        ("demo-chat-app", "demo-chat"),
        ("argocd-server", "argocd"),
        ("kube-prometheus-stack-grafana", "grafana"),
        ("minio-console", "minio"),
        ("minio", "minio-api"),
        ("longhorn-frontend", "longhorn"),
        ("immich-server", "immich"),
        ("shop-frontend", "shop"),
        ("shop-frontend-server", "shop-frontend"),
        ("shop-server-frontend", "shop-server"),
        ("odd--server", "odd"),
        ("server", "server"),
        ("jellyfin", "jellyfin"),
    ],
)
def test_a_name_gives_the_subdomain_that_the_replaced_system_gave(name: str, expected: str) -> None:
    """Known apps first, then one suffix less; what is left is a DNS label."""
    assert subdomain_of(name) == expected


@pytest.mark.parametrize(
    ("annotations", "expected", "problem"),
    [
        ({KEY: "Pics "}, "pics", None),
        ({OLD_KEY: "pics"}, "pics", None),
        ({KEY: "pics", OLD_KEY: "PICS."}, "pics", None),
        ({KEY: "pics", OLD_KEY: "images"}, "pics", "asks for pics and mynodeone.io/subdomain asks for images"),
        ({KEY: "@"}, "@", None),
        ({KEY: "@", OLD_KEY: "x"}, "@", "mycloud.local/subdomain asks for @ and mynodeone.io/subdomain asks for x"),
        ({KEY: " ", OLD_KEY: ""}, "immich", None),
        ({KEY: "a..b"}, "immich", "the annotation mycloud.local/subdomain is not used: 'a..b' is not a DNS name"),
        ({KEY: "a_b", OLD_KEY: "pics"}, "pics", "the annotation mycloud.local/subdomain is not used"),
        ({KEY: "x" * 5000}, "immich", "is too long: 5000 characters"),
        ({"other.local/subdomain": "pics"}, "immich", None),
    ],
)
def test_annotations_go_before_the_name(annotations: dict[str, str], expected: str, problem: str | None) -> None:
    """Ours first, the replaced system's second; a faulty one, or two that disagree, are problems and block nothing."""
    discovery = discover([service(annotations=annotations)], CLUSTER, {})
    assert proposed(discovery)["immich"]["subdomain"] == expected
    assert len(discovery.problems) == (problem is not None)
    assert problem is None or problem in discovery.problems[0]
    assert all("the Service immich in photos" in said for said in discovery.problems)


@pytest.mark.parametrize(
    ("domain", "key"),
    [("mycloud", "mycloud.local"), ("home.example.net", "home.example.net"), (None, "mynodeone.io")],
)
def test_the_first_annotation_begins_with_the_zone(domain: str | None, key: str) -> None:
    """A domain with a dot is the zone as it is; a cluster without a domain has the old annotation alone."""
    discovery = discover([service(annotations={f"{key}/subdomain": "pics"})], Cluster(domain=domain), {})
    assert only(discovery)["subdomain"] == "pics"


@pytest.mark.parametrize(
    ("ports", "port", "scheme", "noted"),
    [
        ({"": 3000}, 3000, None, False),
        ({"metrics": 80, "web": 3000}, 3000, None, False),
        ({"https": 8443, "http": 8080, "admin": 80}, 8080, None, False),
        ({"metrics": 70, "ui": 80, "https": 443}, 80, None, False),
        ({"metrics": 70, "api": 443}, 443, "https", False),
        ({"metrics": 70, "https": 8443}, 8443, "https", False),
        ({"x": 443}, 443, "https", False),
        ({"b": 9001, "a": 9000}, 9000, None, True),
        ({}, None, None, True),
    ],
)
def test_the_port_is_the_one_that_a_browser_wants(
    ports: dict[str, int], port: int | None, scheme: str | None, noted: bool
) -> None:
    """Http or web by name, 80, https or 443, the lowest; a guess is noted, and never a problem."""
    discovery = discover([service(ports=ports)], CLUSTER, {})
    assert only(discovery).get("port") == port
    assert only(discovery).get("scheme") == scheme
    assert len(discovery.notes) == noted


@pytest.mark.parametrize(("text", "port"), [("9001", 9001), (" admin", 9001), ("secure", 443)])
def test_an_annotation_chooses_the_port_by_name_or_number(text: str, port: int) -> None:
    """Then it is no guess."""
    ports = {"http": 80, "admin": 9001, "secure": 443}
    discovery = discover([service(ports=ports, annotations={"mycloud.local/port": text})], CLUSTER, {})
    assert only(discovery)["port"] == port
    assert only(discovery).get("scheme") == ("https" if port == 443 else None)
    assert not discovery.notes


@pytest.mark.parametrize("ports", [{"http": 80}, {}])
def test_an_annotation_that_names_no_port_is_a_problem(ports: dict[str, int]) -> None:
    """And says which there are."""
    discovery = discover([service(ports=ports, annotations={"mycloud.local/port": "81"})], CLUSTER, {})
    assert proposed(discovery)["immich"].get("port") == ports.get("http")
    (problem,) = discovery.problems
    assert "mycloud.local/port is not used: '81' is none of its ports" in problem
    assert ("80 (http)" if ports else "it has none") in problem


def test_the_guessed_port_of_a_cluster_without_a_domain_is_noted_too() -> None:
    """With what to write in the place of the zone."""
    (note,) = discover([service(ports={"b": 2, "a": 1})], Cluster(), {}).notes
    assert "(1 (a), 2 (b)): 1 (a) is taken; the annotation ZONE/port" in note
