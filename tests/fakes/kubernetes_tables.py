"""Print objects as the rows that `kubectl get` asks for: the server, not kubectl, knows the columns of a kind.

Columns are those of pkg/printers/internalversion; the ones shown by `-o wide` only are left out. Plain kinds have
no more than name and age.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from tests.fakes.kubernetes_resources import CONFIG_MAPS, SERVICES, Resource
from tests.fakes.kubernetes_status import Document

_UNITS = (("d", 86400), ("h", 3600), ("m", 60))

Row = list[str | int]

_CONFIG_MAP = ("Name", "Data", "Age")
_SERVICE = ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age")
_PLAIN = ("Name", "Age")
_EVENT = ("Last Seen", "Type", "Reason", "Object", "Message")


def build_table(resource: Resource, documents: Iterable[Document], now: datetime) -> Document:
    """Build a `Table` of stored objects; its rows carry the metadata, of which kubectl takes the namespace."""
    columns, cells = _printer(resource)
    definitions = [
        {
            "name": column,
            "type": "string",
            "format": "name" if column == "Name" else "",
            "description": "",
            "priority": 0,
        }
        for column in columns
    ]
    rows = [{"cells": cells(document, now), "object": _metadata(document)} for document in documents]
    table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}}
    return table | {"columnDefinitions": definitions, "rows": rows}


def _metadata(document: Document) -> Document:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": document["metadata"]}


def _printer(resource: Resource) -> tuple[tuple[str, ...], Callable[[Document, datetime], Row]]:
    if resource is CONFIG_MAPS:
        return _CONFIG_MAP, _config_map
    if resource.plain:
        return _PLAIN, _plain
    return (_SERVICE, _service) if resource is SERVICES else (_EVENT, _event)


def _config_map(document: Document, now: datetime) -> Row:
    keys = len(document.get("data", {})) + len(document.get("binaryData", {}))
    return [document["metadata"]["name"], keys, _age(document["metadata"]["creationTimestamp"], now)]


def _plain(document: Document, now: datetime) -> Row:
    return [document["metadata"]["name"], _age(document["metadata"]["creationTimestamp"], now)]


def _service(document: Document, now: datetime) -> Row:
    spec, ingress = document["spec"], document["status"]["loadBalancer"].get("ingress", ())
    outside = ",".join(each["ip"] for each in ingress)
    pending = "<pending>" if spec["type"] == "LoadBalancer" else "<none>"
    ports = ",".join(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if "nodePort" in port
        else f"{port['port']}/{port['protocol']}"
        for port in spec["ports"]
    )
    address, age = spec.get("clusterIP", "<none>"), _age(document["metadata"]["creationTimestamp"], now)
    return [document["metadata"]["name"], spec["type"], address, outside or pending, ports or "<none>", age]


def _event(document: Document, now: datetime) -> Row:
    about, series = document.get("involvedObject", {}), document.get("series", {})
    seen = series.get("lastObservedTime") or document.get("lastTimestamp") or document.get("eventTime")
    name = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    row = [_age(seen, now) if seen else "<unknown>", document.get("type", ""), document.get("reason", "")]
    return [*row, name, document.get("message", "").strip()]


def _age(since: str, now: datetime) -> str:
    """Tell a span as kubectl does, roughly: in the greatest unit of which there are at least two."""
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
