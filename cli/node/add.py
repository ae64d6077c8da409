"""`routecast node add`: register a machine, and make the token that it joins with."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from cli import console, exits
from cli.command import Command
from cli.edit.flow import carry_out
from cli.edit.options import ENDS, Editing, edit_options
from cli.edit.report import end, wait_for_nodes
from cli.extras import publisher_extra
from cli.node.report import Join, NodeReport, draw_join, draw_node
from cli.run import run
from cli.values import duration
from common.clock import now
from common.errors import RoutecastError
from common.models import Role
from publisher.registry.nodes import add_node

if TYPE_CHECKING:
    from cli.node.terms import JoinTerms
    from common.settings import Settings
    from common.trust.token import JoinToken
    from publisher.registry.draft import Draft

_LONGEST_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The node that is to be there."""

    role: Role
    name: str
    address: str
    label: str | None

    def add(self, draft: "Draft") -> None:
        """Write it into a draft."""
        add_node(draft, self.role, self.name, self.address, self.label)


@dataclass(frozen=True, slots=True)
class _Token:
    """The token that is to be there."""

    valid_for: timedelta
    rejoin: bool


def _valid_for(text: str) -> timedelta:
    seconds = duration(text)
    if not 0 < seconds <= _LONGEST_S:
        raise click.BadParameter("a join token is good for 7d at most: it is a secret, and soon used")
    return timedelta(seconds=seconds)


@click.command(
    cls=Command,
    example="""
    routecast node add laptop new-laptop 100.88.150.20
    routecast node add vps linode-asia 100.72.200.50 --label 'Linode in Asia' --wait
    routecast node add laptop new-laptop 100.88.150.20 --rejoin
    """,
    ends={
        **ENDS,
        exits.NOT_SO: "refused, and nothing was written; or with --wait: it did not join and apply in time",
    },
)
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.argument("name")
@click.argument("address")
@click.option("--label", help="What people see of it; free text.")
@click.option(
    "--token-for", "valid_for", type=_valid_for, default="1h", show_default=True, help="How long its token is good."
)
@click.option("--no-token", is_flag=True, help="Make no join token.")
@click.option("--rejoin", is_flag=True, help="Make a token also for a node that has joined: its old key ends by that.")
@edit_options
def add(
    editing: Editing,
    *,
    valid_for: timedelta,
    no_token: bool,
    rejoin: bool,
    **wanted: str,
) -> None:
    """Register a machine that runs a subscriber, and print the command it joins with.

    Sets role and address of one that is there. NAME is its identity on the bus, for life; ADDRESS the one in the
    tailnet. The join token lets one machine in, once. With --wait the machine is let in from here too, should no
    publisher be allowed to, and waited for: as long as its token is good, or as --timeout says.
    """
    settings = editing.line.registry_settings(editing.registry_dir, cluster=editing.cluster)
    node = _Wanted(Role(wanted["role"]), wanted["name"], wanted["address"], wanted["label"])
    terms, why = (None, None) if no_token else _terms(settings)
    if terms is None:
        report, token = _register(editing, settings, node, why), None
    else:
        report, token = _invite(editing, settings, node, terms, _Token(valid_for, rejoin))
    error: RoutecastError | None = None
    if terms is not None and token is not None and editing.wait:
        report, error = _wait(editing, settings, terms, report, token)
    else:
        report, error = wait_for_nodes(settings, editing, report)
    editing.output.show(report, lambda: draw_node(report, dry_run=editing.dry_run))
    if error is None and report.joined is not None and not report.joined.holds:
        editing.ctx.exit(exits.NOT_SO)
    end(editing, report, error)


def _terms(settings: "Settings") -> "tuple[JoinTerms | None, str | None]":
    """Return what a join token is made of; None, and why, where there are no keys."""
    with publisher_extra():
        from cli.node.terms import read_terms, why_no_keys  # noqa: PLC0415 - the publisher's side, only here
    missing = why_no_keys(settings)
    return (None, missing) if missing is not None else (run(read_terms(settings)), None)


def _register(editing: Editing, settings: "Settings", node: _Wanted, why: str | None) -> NodeReport:
    """Write the node without a token; `why` there is none is said."""

    def edit(draft: "Draft") -> None:
        node.add(draft)
        if why is not None:
            draft.note(why)

    return NodeReport.of(carry_out(editing, settings, edit))


def _invite(
    editing: Editing, settings: "Settings", node: _Wanted, terms: "JoinTerms", wanted: _Token
) -> "tuple[NodeReport, JoinToken | None]":
    """Write the node, and with the same edit that it may join; return its token, None when it has joined already."""
    from publisher.registry.joining import invite_node  # noqa: PLC0415 - see above
    from publisher.trust.admission import new_ticket  # noqa: PLC0415

    ticket, invited = new_ticket(now(), wanted.valid_for), False

    def edit(draft: "Draft") -> None:
        nonlocal invited
        node.add(draft)
        invited = invite_node(draft, node.name, ticket.invitation, rejoin=wanted.rejoin, revoked=terms.revoked)

    report = NodeReport.of(carry_out(editing, settings, edit))
    if not invited or not report.written:
        return report, None
    token = ticket.token(terms.keys, terms.terms, (node.name, node.role), terms.zones(node.role), now())
    return replace(report, join=Join.of(token)), token


def _wait(
    editing: Editing, settings: "Settings", terms: "JoinTerms", report: NodeReport, token: "JoinToken"
) -> tuple[NodeReport, RoutecastError | None]:
    """Let the machine join, and wait for it; the token is told at once, on standard error."""
    from cli.node.waiting import wait_for_join  # noqa: PLC0415 - see above

    console.stderr().print(*draw_join(Join.of(token)), sep="\n", soft_wrap=True)
    chosen = editing.ctx.get_parameter_source("timeout_s") is not ParameterSource.DEFAULT
    limit_s = editing.timeout_s if chosen else (token.expires - now()).total_seconds()
    try:
        return replace(report, joined=run(wait_for_join(settings, terms.keys, token, limit_s))), None
    except RoutecastError as e:
        return replace(report, not_waited=str(e)), e
