"""The edits that discovery makes: what the cluster's LoadBalancer Services propose, and what is gone. Pure."""

from collections.abc import Iterable

from common.models import Cluster
from publisher.pipeline.parse.cluster import read_cluster
from publisher.pipeline.parse.place import Places
from publisher.registry.discover import Discovery, discover
from publisher.registry.draft import SERVICES, Draft
from publisher.registry.plan import Edit
from publisher.registry.services import remove_service
from publisher.source.cluster_service import ClusterService
from publisher.source.document import CLUSTER_INFO


def follow_services(services: Iterable[ClusterService], *, prune: bool = False) -> Edit:
    """Return the edit that brings the registry to `services`, all LoadBalancer Services of the cluster.

    With `prune`, entries that discovery made and whose Service is gone are removed with their routes; without, they
    stay without an address. What a person set is never changed.
    """
    known = tuple(services)

    def edit(draft: Draft) -> None:
        found = look(draft, known)
        draft.withdraw()  # one name conflict must not keep every other app, or a withdrawal, from following
        entries = draft.object(SERVICES)
        if prune:
            for name in found.vanished:
                remove_service(draft, name)
        for proposal in found.proposals:
            if prune and proposal.name in found.vanished:
                continue
            before = entries.get(proposal.name)
            entries[proposal.name] = {**(before if isinstance(before, dict) else {}), **proposal.fields}
        for text in (*found.problems, *found.notes):
            draft.note(text)
        if found.vanished and not prune:
            draft.note(
                f"gone from the cluster: {', '.join(found.vanished)}; remove with: routecast service discover --prune"
            )

    return edit


def look(draft: Draft, services: Iterable[ClusterService]) -> Discovery:
    """Return what `services` propose to the registry of a draft."""
    places = Places({CLUSTER_INFO: draft.document(CLUSTER_INFO)}, first_contact=True)
    return discover(services, read_cluster(places, Cluster()).cluster, draft.object(SERVICES))
