"""Name the resources that the fake serves, as its API groups offer them.

Two entries may show the same objects: an Event is written and read through core/v1 and events.k8s.io/v1 alike.
The rules of ConfigMaps, Services and Events are known here; objects of the plain kinds are kept as they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Selectable = Mapping[str, tuple[str, ...]]
"""Field of a selector -> fields of the stored object, of which the first that is set counts."""

_METADATA = {"metadata.name": ("metadata.name",), "metadata.namespace": ("metadata.namespace",)}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the version `v1` of one API group; the group of core/v1 is the empty one."""

    plural: str
    kind: str
    group: str = ""
    short_name: str = ""
    namespaced: bool = True
    plain: bool = False
    """Whether its objects are kept as they come: without defaults, rules, or anybody who acts on them."""
    selectable: Selectable = field(default_factory=lambda: _METADATA, compare=False, repr=False)

    @property
    def api_version(self) -> str:
        """What its objects bear as `apiVersion`."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def qualified(self) -> str:
        """How kubectl, the rules of the fake and refusals tell it from others of its name."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def base(self) -> str:
        """The path under which its group is found."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"


def _reference(selector: str) -> Selectable:
    """Select by the object that an Event is about, which the two groups name differently."""
    keys = ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
    return {f"{selector}.{key}": (f"involvedObject.{key}",) for key in keys}


_EVENT: Selectable = {**_METADATA, "reason": ("reason",), "type": ("type",)}

CONFIG_MAPS = Resource("configmaps", "ConfigMap", short_name="cm")
SERVICES = Resource(
    "services",
    "Service",
    short_name="svc",
    selectable={**_METADATA, "spec.clusterIP": ("spec.clusterIP",), "spec.type": ("spec.type",)},
)
EVENTS = Resource(
    "events",
    "Event",
    short_name="ev",
    selectable={
        **_EVENT,
        **_reference("involvedObject"),
        "reportingComponent": ("reportingComponent",),
        "source": ("source.component", "reportingComponent"),
    },
)
NEW_EVENTS = Resource(
    "events",
    "Event",
    group="events.k8s.io",
    short_name="ev",
    selectable={**_EVENT, **_reference("regarding"), "reportingController": ("reportingComponent",)},
)

NAMESPACES = Resource("namespaces", "Namespace", short_name="ns", namespaced=False, plain=True)
SECRETS = Resource("secrets", "Secret", plain=True)
DEPLOYMENTS = Resource("deployments", "Deployment", "apps", "deploy", plain=True)
_ACCESS = "rbac.authorization.k8s.io"
_PLAIN = (
    NAMESPACES,
    SECRETS,
    Resource("pods", "Pod", short_name="po", plain=True),
    Resource("serviceaccounts", "ServiceAccount", short_name="sa", plain=True),
    DEPLOYMENTS,
    Resource("statefulsets", "StatefulSet", "apps", "sts", plain=True),
    Resource("networkpolicies", "NetworkPolicy", "networking.k8s.io", "netpol", plain=True),
    Resource("roles", "Role", _ACCESS, plain=True),
    Resource("rolebindings", "RoleBinding", _ACCESS, plain=True),
    Resource("clusterroles", "ClusterRole", _ACCESS, namespaced=False, plain=True),
    Resource("clusterrolebindings", "ClusterRoleBinding", _ACCESS, namespaced=False, plain=True),
)
"""What `deploy/kubernetes` consists of, besides ConfigMaps and Services."""

RESOURCES = (CONFIG_MAPS, SERVICES, EVENTS, NEW_EVENTS, *_PLAIN)
BY_NAME = {resource.qualified: resource for resource in RESOURCES}
"""`configmaps`, `services`, `events`, `events.events.k8s.io`, and the plain ones."""


def group_resource(group: str, plural: str) -> str:
    """Write a resource as `Resource.qualified` does, known or not."""
    return f"{plural}.{group}" if group else plural
