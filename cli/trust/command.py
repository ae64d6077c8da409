"""`routecast trust`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "status": Lazy(
        "cli.trust.status:status", "Show the signing keys, how far a rotation has come, and when certificates end."
    ),
    "rotate": Lazy("cli.trust.rotate:rotate", "Replace the signing key, once every node believes the new one."),
    "renew": Lazy(
        "cli.trust.renew:renew", "Make the NATS server's certificate anew, by the authority that nodes trust already."
    ),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    sudo routecast trust status
    sudo routecast trust rotate
    """,
)
def trust() -> None:
    """Look at the keys and certificates that nodes believe, and replace them."""
