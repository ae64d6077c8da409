"""Decide who may do what, as RBAC decides it for one user: grants add up, and whatever none covers is forbidden.

Knows one user and does not tell namespaces apart. Requests and SelfSubjectAccessReviews ask the same question here.
"""

from collections.abc import Iterable

from tests.fakes.kubernetes_status import KINDS

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


class Rules:
    """What the user of the fake may do: everything, until a test grants or denies something.

    A request names one object (get, update, patch, delete; a list or watch with the field selector `metadata.name=X`)
    or none (create, other lists and watches). A rule with `resourceNames` never covers a request that names none, and
    RBAC knows no exceptions: so one denied name of a verb forbids every nameless request of that verb.
    """

    def __init__(self) -> None:
        self._grants: list[tuple[str, frozenset[str], frozenset[str]]] = []
        self._denials: set[tuple[str, str, str | None]] = set()

    def allow_all(self) -> None:
        """Drop every grant and denial."""
        self._grants.clear()
        self._denials.clear()

    def grant(self, *verbs: str, names: Iterable[str] = (), resource: str = "configmaps") -> None:
        """Add one rule; from the first rule of a resource on, only what its rules cover is allowed. No names: all."""
        self._grants.append((resource, frozenset(verbs), frozenset(names)))

    def deny(self, verb: str, name: str | None = None, resource: str = "configmaps") -> None:
        """Take a verb on one name, or on every name, out of what the rules cover."""
        self._denials.add((resource, verb, name))

    def permits(self, verb: str, resource: str, name: str | None) -> bool:
        """Tell whether a request is allowed; verb and resource may be `*`, which means each of them."""
        verbs, resources = VERBS if verb == "*" else (verb,), KINDS if resource == "*" else (resource,)
        return all(self._permits(one, other, name) for one in verbs for other in resources)

    def _permits(self, verb: str, resource: str, name: str | None) -> bool:
        if any(denied in self._denials for denied in ((resource, verb, None), (resource, verb, name))):
            return False
        if name is None and any((resource, verb) == denied[:2] for denied in self._denials):
            return False
        grants = [(verbs, names) for granted, verbs, names in self._grants if granted == resource]
        return not grants or any(verb in verbs and (not names or name in names) for verbs, names in grants)
