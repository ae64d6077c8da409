"""Edits of who may join, and who has joined. Pure: each changes a draft, or says what is wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from common.errors import EditRefused
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import read_object
from publisher.registry.draft import NODES, Draft
from publisher.registry.faults import refuse_unknown
from publisher.registry.invitation import JOIN, KEY, Invitation, key_of
from publisher.registry.lookup import NodeItem, node_items
from publisher.source.document import Document

AGAIN = "have a new one made on the control plane with `routecast node add`"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a machine with a join token asks for: to be the node of the token `id`, with `key`."""

    id: str
    key: str
    secret: str = field(repr=False)


def invite_node(
    draft: Draft, name: str, invitation: Invitation, *, rejoin: bool, revoked: Collection[str] = ()
) -> bool:
    """Let a machine join as the node `name`, in place of any earlier invitation; tell whether it may.

    One that has joined already, with a key that is not `revoked`, is left as it is, with a note, unless `rejoin`: its
    key is good until the new one is there.

    Raises:
        EditRefused: there is no such node.

    """
    items = node_items(draft.object(NODES))
    found = next((item for item in items if item.name == name and item.address is not None), None)
    if found is None:
        raise refuse_unknown("node", name, {item.name for item in items if item.name})
    key = key_of(found.entry)
    if key is not None and key not in revoked and not rejoin:
        draft.note(
            f"{name} has joined already, so there is no token; with --rejoin there is one, and its key of now ends "
            "when a machine has joined with it"
        )
        return False
    found.entry[JOIN] = invitation.entry()
    return True


def admit_node(draft: Draft, asked: Asked, at: datetime) -> NodeItem:
    """Make a machine the node that its token was made for: its key takes the place of the invitation.

    That is the one use of a token. The same key again is no second use: an answer may have been lost.

    Raises:
        EditRefused: the token is used, replaced, expired, or not as it was made; or the key is another node's.

    """
    items = node_items(draft.object(NODES))
    holder = next((item for item in items if key_of(item.entry) == asked.key), None)
    invited = next(
        ((item, made) for item in items if (made := Invitation.of(item.entry)) and made.id == asked.id), None
    )
    if invited is None:
        if holder is None:
            raise EditRefused(
                f"this join token is not good any more: used, replaced by a newer one, or its node was removed; {AGAIN}"
            )
        return holder
    item, invitation = invited
    if not invitation.is_for(asked.secret):
        raise EditRefused(f"this join token was altered: its secret is another one; {AGAIN}")
    if at >= invitation.expires:
        raise EditRefused(f"this join token expired at {invitation.expires:%Y-%m-%d %H:%M:%SZ}; {AGAIN}")
    if item.address is None:
        raise EditRefused("the node's entry in the registry has no address that can be read; see `routecast lint`")
    if holder is not None:
        raise EditRefused(f"the key is that of the node {holder.name!r} already; make another one")
    item.entry[KEY] = asked.key
    del item.entry[JOIN]
    return item


def rejoin_command(documents: Mapping[str, Document], token_id: str) -> str:
    """Return the command that has the node of a token join again, for the record of edits."""
    places = Places(documents, first_contact=True)
    place = places.at(*NODES)
    for item in node_items(read_object(place) or {}):
        made = Invitation.of(item.entry)
        if made is not None and made.id == token_id and item.address is not None:
            return f"{place.document.routecast} node add {item.role.value} {item.name} {item.address} --rejoin"
    return f"{place.document.routecast} node add ROLE NAME ADDRESS --rejoin"
