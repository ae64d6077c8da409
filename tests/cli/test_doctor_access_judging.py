"""How the doctor judges TLS and credentials, for what it could have seen."""

from datetime import timedelta
from typing import Any

import pytest

from cli.doctor.attempt import Fault
from cli.doctor.bus.access import judge_access
from cli.doctor.bus.facts import BusSeen, HiddenLogin, LoginSeen, ServerSeen, Validity
from cli.doctor.bus.judge import judge_bus
from cli.doctor.check import Check, State
from common.errors import AccessDenied, BusUnavailable, ConfigError
from common.tls import NotTrusted
from common.transport import Transport
from tests.cli import doctor_facts as facts
from tests.cli.doctor_facts import NOW, fault, one

PLAIN = Transport(tls=False, why="the server is on this machine's loopback")
TLS = Transport(tls=True, why="nats.ca_file is set")
LOGIN = LoginSeen("/etc/routecast/nats.creds", "operator")


def _valid(**left: int) -> Validity:
    return Validity.at(NOW, NOW + timedelta(**left))


def _seen(
    certificate: Validity | Fault | None = None,
    *,
    server: Any = None,
    transport: Transport = TLS,
    login: Any = LOGIN,
    host: str = "cp1",
) -> BusSeen:
    up = ServerSeen("2.12.0", 1 << 20, facts.jetstream(), certificate)
    return BusSeen(f"tls://{host}:4222", host, 4222, server or up, transport, login)


def _judge(seen: BusSeen, name: str) -> Check:
    check = one(judge_access(seen), name)
    assert (check.next is not None) or check.state in {State.OK, State.SKIP}
    return check


@pytest.mark.parametrize(
    ("seen", "state", "said"),
    [
        (_seen(transport=PLAIN), State.OK, "not used: the server is on this machine's loopback"),
        (_seen(_valid(days=400)), State.OK, "used, as nats.ca_file is set; .* valid until 2026-12-11"),
        (_seen(_valid(days=30)), State.OK, "valid until 2025-12-06"),
        (_seen(_valid(days=29, hours=23)), State.WARN, "in 29 days; renew it on the control plane"),
        (_seen(_valid(days=1)), State.WARN, "in 1 day;"),
        (_seen(fault("it hung")), State.WARN, "could not be read: it hung"),
        (_seen(None), State.WARN, "could not be read: nobody looked"),
        (_seen(server=fault()), State.SKIP, "NATS does not answer"),
    ],
)
def test_tls(seen: BusSeen, state: State, said: str) -> None:
    """Used or why not; how long the certificate is valid, and told a month ahead."""
    check = _judge(seen, "TLS")
    assert check.state is state
    with pytest.raises(ValueError, match=said):
        raise ValueError(check.what)


@pytest.mark.parametrize(
    ("seen", "state", "said"),
    [
        (_seen(), State.OK, "operator, from /etc/routecast/nats.creds, valid until they are revoked"),
        (_seen(login=LoginSeen("nats.url")), State.OK, "those in nats.url, valid"),
        (_seen(login=LoginSeen("f", "n", _valid(days=31))), State.OK, "valid until 2025-12-07"),
        (_seen(login=LoginSeen("f", "n", _valid(days=29))), State.WARN, "29 days more; join again before"),
        (_seen(login=LoginSeen("f", "n", _valid(seconds=0))), State.FAIL, "expired on 2025-11-06"),
        (_seen(login=HiddenLogin("f")), State.SKIP, "this user may not read f"),
        (_seen(login=fault("can be read by everybody", ConfigError)), State.FAIL, "can be read by everybody"),
        (_seen(login=None), State.WARN, "NATS lets in whoever reaches cp1"),
        (_seen(login=None, host="127.0.0.1"), State.OK, "of this machine lets in who has none"),
        (_seen(login=None, server=fault("no", AccessDenied)), State.FAIL, "none, and NATS asks for some"),
        (_seen(login=None, server=fault("away")), State.SKIP, "none are set"),
    ],
)
def test_credentials(seen: BusSeen, state: State, said: str) -> None:
    """Whose, from where, until when; who has none where anybody is let in is told so, on loopback apart."""
    check = _judge(seen, "credentials")
    assert check.state is state
    assert said in check.what


@pytest.mark.parametrize(
    ("error", "login", "state", "command"),
    [
        (BusUnavailable("away"), LOGIN, State.FAIL, "nc -vz cp1 4222"),
        (NotTrusted("its certificate"), LOGIN, State.FAIL, "openssl s_client -connect cp1:4222"),
        (AccessDenied("no"), LOGIN, State.FAIL, "routecast config show"),
        (ConfigError("no ca"), LOGIN, State.FAIL, "routecast config show"),
        (ConfigError("no ca"), HiddenLogin("f"), State.SKIP, "sudo routecast doctor"),
    ],
)
def test_each_reason_has_its_next_command(error: Any, login: Any, state: State, command: str) -> None:
    """Away, somebody else, closed, wrongly set, or not this user's to know."""
    check = one(judge_bus(_seen(server=Fault(error), login=login)), "NATS")
    assert (check.state, check.next) == (state, command)


def test_what_a_nodes_credentials_do_not_show_is_skipped() -> None:
    """Its durable is the control plane's to look at; that is said, and nothing counts as failed."""
    hidden = fault("a node's credentials do not show it", AccessDenied)
    found = facts.judge_as_node(of_nats=facts.bus(consumers=hidden, clock=hidden))
    assert State.FAIL not in facts.states(found).values()
    assert one(found, "durable").state is State.SKIP
    assert one(found, "durable").next == "routecast nodes"


@pytest.mark.parametrize(("connected", "said"), [(False, "is not connected to NATS: revoked"), (True, "but revoked")])
def test_the_services_own_trouble_is_passed_on(connected: bool, said: str) -> None:
    """Why it is not let in, or what NATS refuses it, as it says itself."""
    seen = facts.ServiceSeen(facts.NODE, connected=connected, stale=False, last_ack=None, trouble="revoked")
    check = one(facts.judge_as_node(facts.node(service=seen)), "service")
    assert check.state is State.FAIL
    assert said in check.what
