"""Decide who may do what, as RBAC decides it for one user: grants add up, and whatever none covers is forbidden.

Requests and SelfSubjectAccessReviews ask the same question here. Resources are named as kubectl names them: Events are
`events` in core/v1 and `events.events.k8s.io` in their own group, and a rule on the one says nothing of the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.fakes.kubernetes_resources import BY_NAME

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Rule:
    """One grant: no names are all of them, no namespace is the whole cluster."""

    resource: str
    verbs: frozenset[str]
    names: frozenset[str]
    namespace: str | None

    def covers(self, verb: str, namespace: str | None, name: str | None) -> bool:
        """Tell whether a request on the resource falls under it; without a namespace it is about all of them."""
        return verb in self.verbs and self.namespace in (None, namespace) and (not self.names or name in self.names)


class Rules:
    """What the user of the fake may do: everything, until a test grants or denies something.

    A request names one object (get, update, patch, delete; a list or watch with the field selector `metadata.name=X`)
    or none (create, other lists and watches). A rule with `resourceNames` never covers a request that names none, and
    RBAC knows no exceptions: so one denied name of a verb forbids every nameless request of that verb.
    """

    def __init__(self) -> None:
        self._grants: list[Rule] = []
        self._denials: set[tuple[str, str, str | None]] = set()

    def allow_all(self) -> None:
        """Drop every grant and denial."""
        self._grants.clear()
        self._denials.clear()

    def grant(
        self, *verbs: str, names: Iterable[str] = (), resource: str = "configmaps", namespace: str | None = None
    ) -> None:
        """Add one rule; from the first rule of a resource on, only what its rules cover is allowed. No names: all.

        With a namespace it is a rule of a Role, which covers no request about all namespaces; else of a ClusterRole.
        """
        self._grants.append(Rule(_known(resource), frozenset(verbs), frozenset(names), namespace))

    def deny(self, verb: str, name: str | None = None, resource: str = "configmaps") -> None:
        """Take a verb on one name, or on every name, out of what the rules cover."""
        self._denials.add((_known(resource), verb, name))

    def permits(self, verb: str, resource: str, namespace: str | None, name: str | None) -> bool:
        """Tell whether a request is allowed; verb and resource may be `*`, which means each of them."""
        verbs, resources = VERBS if verb == "*" else (verb,), BY_NAME if resource == "*" else (resource,)
        return all(self._permits(one, other, namespace, name) for one in verbs for other in resources)

    def _permits(self, verb: str, resource: str, namespace: str | None, name: str | None) -> bool:
        if any(denied in self._denials for denied in ((resource, verb, None), (resource, verb, name))):
            return False
        if name is None and any((resource, verb) == denied[:2] for denied in self._denials):
            return False
        rules = [rule for rule in self._grants if rule.resource == resource]
        return not rules or any(rule.covers(verb, namespace, name) for rule in rules)


def _known(resource: str) -> str:
    if resource not in BY_NAME:
        raise ValueError(f"the fake serves no {resource}; it serves {', '.join(BY_NAME)}")
    return resource
