"""Decode, complete and check Services as the API server does: defaults, a cluster address, node ports; names, ports.

Pure: addresses and node ports are derived from names, where the real server takes free ones. Left out: dual stack,
session affinity, external names, health check ports.
"""

import hashlib
import re

from tests.fakes.kubernetes_status import DecodeError, Document

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_STRICT_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_OUTSIDE = ("NodePort", "LoadBalancer")
"""Types that are reached through a port of each node."""

_OF_TYPES = {
    "externalTrafficPolicy": (_OUTSIDE, "Cluster"),
    "allocateLoadBalancerNodePorts": (("LoadBalancer",), True),
}
"""Field that only some types have -> these types, and its default."""

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PORT_FIELDS = {"name": str, "port": int, "protocol": str, "nodePort": int, "appProtocol": str}


def check_service_types(body: Document) -> None:
    """Raise DecodeError where a value is not of the type that the Go struct gives to its field."""
    spec = body.get("spec") or {}
    if not isinstance(spec, dict):
        raise DecodeError(f"json: cannot unmarshal {type(spec).__name__} into spec of type v1.ServiceSpec")
    ports = spec.get("ports") or []
    if not isinstance(ports, list) or not all(isinstance(port, dict) for port in ports):
        raise DecodeError("json: cannot unmarshal spec.ports of type []v1.ServicePort")
    for port in ports:
        for key, kind in _PORT_FIELDS.items():
            if not isinstance(port.get(key), kind | None):
                raise DecodeError(f"json: cannot unmarshal spec.ports.{key} of type {kind}")


def complete_service(document: Document) -> Document:
    """Fill in what the writer left to the server, and take out what another type had; it has its name and namespace."""
    spec = {key: value for key, value in document.get("spec", {}).items() if value not in (None, "", [], {})}
    metadata = document["metadata"]
    seed = f"{metadata['namespace']}/{metadata['name']}"
    kind = spec.setdefault("type", "ClusterIP")
    spec["ports"] = [_complete_port(port, seed, kind) for port in spec.get("ports", ())]
    spec.setdefault("sessionAffinity", "None")
    if kind != "ExternalName":
        address = spec.setdefault("clusterIP", f"10.43.{_number(seed, 256)}.{1 + _number(seed + '#', 254)}")
        spec |= {"clusterIPs": [address], "internalTrafficPolicy": "Cluster"}
        spec |= {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    for key, (types, default) in _OF_TYPES.items():
        if kind in types:
            spec.setdefault(key, default)
        else:
            spec.pop(key, None)
    return document | {"spec": spec, "status": document.get("status") or {"loadBalancer": {}}}


def _complete_port(port: Document, seed: str, kind: str) -> Document:
    completed = {"protocol": "TCP", "targetPort": port.get("port")} | port
    node_port = completed.pop("nodePort", None) or 30000 + _number(f"{seed}:{port.get('port')}", 2768)
    return completed | ({"nodePort": node_port} if kind in _OUTSIDE else {})


def _number(seed: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % below


def find_service_faults(document: Document) -> list[str]:
    """List the rules that a completed Service breaks (ValidateService in pkg/apis/core/validation)."""
    name, spec = document["metadata"]["name"], document["spec"]
    faults = []
    if not _STRICT_LABEL.fullmatch(name):
        faults.append(
            f'metadata.name: Invalid value: "{name}": a DNS-1035 label must consist of lower case alphanumeric'
            " characters or '-', start with an alphabetic character, and end with an alphanumeric character"
        )
    if spec["type"] not in _TYPES:
        faults.append(f'spec.type: Unsupported value: "{spec["type"]}"')
    if not spec["ports"] and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        faults.append("spec.ports: Required value")
    seen: set[tuple[object, object]] = set()
    for index, port in enumerate(spec["ports"]):
        at = f"spec.ports[{index}]"
        faults += [f"{at}.{fault}" for fault in _find_port_faults(port, alone=len(spec["ports"]) == 1)]
        taken = {("name", port.get("name") or index), (port.get("port"), port["protocol"])}
        faults += [f"{at}: Duplicate value"] if taken & seen else []
        seen |= taken
    return faults


def _find_port_faults(port: Document, *, alone: bool) -> list[str]:
    name, number, faults = port.get("name"), port.get("port", 0), []
    if not name and not alone:
        faults.append("name: Required value")
    if name and not _LABEL.fullmatch(name):
        why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
        faults.append(f'name: Invalid value: "{name}": {why}')
    if not 1 <= number <= 65535:
        faults.append(f"port: Invalid value: {number}: must be between 1 and 65535, inclusive")
    if port["protocol"] not in _PROTOCOLS:
        faults.append(f'protocol: Unsupported value: "{port["protocol"]}"')
    return faults
