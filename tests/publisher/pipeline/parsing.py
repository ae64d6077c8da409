"""What the tests of `parse` share: documents from JSON values, and the sample manifests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import yaml
from hypothesis import HealthCheck, settings

from common.models import Registry
from common.problems import Problem
from publisher.pipeline.parse import Parsed, parse
from publisher.source.document import (
    CLUSTER_INFO,
    DOMAIN_REGISTRY,
    SERVICE_REGISTRY,
    SYNC_CONTROLLER_REGISTRY,
    Document,
)

SAMPLES = Path(__file__).parents[1] / "source" / "samples"

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine is no fault of the code."""

Texts = dict[str, dict[str, str] | None]

KEYS = {
    "services.json": SERVICE_REGISTRY,
    "domains.json": DOMAIN_REGISTRY,
    "vps-nodes.json": DOMAIN_REGISTRY,
    "routing.json": DOMAIN_REGISTRY,
    "registry.json": SYNC_CONTROLLER_REGISTRY,
}

SERVICES: dict[str, Any] = {
    "immich": {"subdomain": "photos", "namespace": "immich", "ip": "100.67.243.10", "port": 80, "public": True},
    "grafana": {"subdomain": "grafana", "ip": "100.67.243.12", "port": 3000, "public": False},
}
DOMAINS: dict[str, Any] = {
    "domains": {"curiios.com": {"description": "Site"}},
    "vps_nodes": [{"tailscale_ip": "100.68.225.92", "public_ip": "45.8.133.192", "location": "eu"}],
}
ROUTING: dict[str, Any] = {"immich": {"domains": ["curiios.com"], "vps_nodes": ["100.68.225.92"]}}
NODES: dict[str, Any] = {
    "management_laptops": [{"ip": "100.86.112.112", "name": "laptop"}],
    "vps_nodes": [{"ip": "100.68.225.92", "name": "vps-1"}],
}


def texts() -> Texts:
    """Return a whole registry as ConfigMap texts, with nothing wrong in it."""
    return {
        CLUSTER_INFO: {"cluster-name": "mynodeone", "cluster-domain": "mycloud", "control-plane-ip": "100.122.68.75"},
        SERVICE_REGISTRY: {"services.json": as_json(SERVICES)},
        DOMAIN_REGISTRY: {"domains.json": as_json(DOMAINS), "routing.json": as_json(ROUTING)},
        SYNC_CONTROLLER_REGISTRY: {"registry.json": as_json(NODES)},
    }


def as_json(value: Any) -> str:
    """Write a value as it stands in a ConfigMap."""
    return orjson.dumps(value).decode()


def documents(content: Texts, why: str | None = None) -> dict[str, Document]:
    """Return documents of texts; those of None are missing or, with `why`, unreadable."""
    return {
        name: Document(name, data, why=why if data is None else None, edit=f"edit {name}")
        for name, data in content.items()
    }


def having(**values: Any) -> Texts:
    """Return the whole registry with other values of some keys, as ``services_json={...}``; None takes the key out.

    A text stands as it is, all else is written as JSON.
    """
    content = texts()
    for argument, value in values.items():
        key = argument.replace("_json", ".json").replace("_", "-")
        data = content[KEYS[key]]
        assert data is not None
        if value is None:
            data.pop(key, None)
        else:
            data[key] = value if isinstance(value, str) else as_json(value)
    return content


def first(content: Texts) -> Parsed:
    """Parse on first contact."""
    return parse(documents(content), None)


def after(content: Texts, previous: Registry | None = None) -> Parsed:
    """Parse what follows on the whole registry, or on another previous one."""
    return parse(documents(content), previous or first(texts()).registry)


def lines(problems: Iterable[Problem]) -> list[str]:
    """Return problems as ``severity document entry: message``."""
    return [f"{p.severity} {p.document} {p.entry}: {p.message}" for p in problems]


def sample(name: str) -> dict[str, Document]:
    """Read a sample manifest."""
    manifests = yaml.safe_load_all((SAMPLES / f"{name}.yaml").read_bytes())
    return documents({each["metadata"]["name"]: each["data"] for each in manifests})
