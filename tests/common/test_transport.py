"""Whether a connection uses TLS, and what is said when one is not made."""

import re
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.settings.nats import NatsSettings, Tls
from common.transport import (
    LOOPBACK,
    TAILNET,
    Login,
    choose,
    denial,
    fault_of_tls,
    is_denial,
    is_violation,
    refusal,
)

NOW = datetime(2025, 11, 6, tzinfo=UTC)
CA = Path("/etc/routecast/nats/ca.crt")

addresses = st.ip_addresses()
in_loopback = st.one_of(st.ip_addresses(network=str(network)) for network in LOOPBACK)
in_tailnet = st.one_of(st.ip_addresses(network=str(network)) for network in TAILNET)
names = st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?(\.[a-z]{2,5}){0,2}", fullmatch=True)


def _host(address: IPv4Address | IPv6Address | str) -> str:
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def _settings(host: object, scheme: str = "nats", tls: Tls = Tls.REQUIRED, ca: Path | None = None) -> NatsSettings:
    url = f"{scheme}://{host}:4222"
    return NatsSettings.model_validate({"url": url, "tls": tls, "ca_file": ca, "credentials_file": None})


@given(addresses | in_loopback | in_tailnet, st.sampled_from(Tls), st.sampled_from(["nats", "tls"]), st.booleans())
def test_plain_text_is_for_loopback_and_by_setting_for_the_tailnet(
    address: IPv4Address | IPv6Address, tls: Tls, scheme: str, with_ca: bool
) -> None:
    """Only there, and never when the URL or an authority asks for TLS; it is said why, either way."""
    allowed = LOOPBACK if tls is Tls.REQUIRED else LOOPBACK + TAILNET
    plain = scheme == "nats" and not with_ca and any(address in network for network in allowed)
    found = choose(_settings(_host(address), scheme, tls, CA if with_ca else None))
    assert found.tls is not plain
    assert found.why


@given(names, st.sampled_from(Tls))
def test_a_name_is_nobodys_address(name: str, tls: Tls) -> None:
    """Names are looked up by whoever answers first; `localhost` apart they are never reached without TLS."""
    assert choose(_settings(name, tls=tls)).tls is (name != "localhost")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_loopback(host: str) -> None:
    """Every way to write it that is not a name of somebody's."""
    assert not choose(_settings(host)).tls
    assert choose(_settings(host, "tls")).tls
    assert choose(_settings(host, ca=CA)).tls


@pytest.mark.parametrize(
    "host",
    [
        *("localhost.evil.com", "localhost.", "127.0.0.1.evil.com", "0x7f.0.0.1", "127.1", "2130706433", "0177.0.0.1"),
        *("0.0.0.0", "[::]", "[::ffff:100.64.0.1]", "100.64.0.1.evil.com", "100.064.0.1", "100.63.255.255"),  # noqa: S104 - not bound
        *("100.128.0.0", "[fd7a:115c:a1e1::1]", "[fe80::1]", "10.0.0.1"),
    ],
)
def test_what_only_looks_like_it_is_reached_with_tls(host: str) -> None:
    """Names that begin like addresses, addresses in odd spellings, and the neighbours of each range."""
    assert choose(_settings(host, tls=Tls.TAILNET)).tls


@pytest.mark.parametrize("host", ["100.64.0.0", "100.127.255.255", "[fd7a:115c:a1e0::1]"])
def test_the_tailnet_needs_its_setting(host: str) -> None:
    """Without it a tailnet address is like any other."""
    assert choose(_settings(host)).tls
    assert not choose(_settings(host, tls=Tls.TAILNET)).tls


@given(addresses)
def test_the_host_is_written_as_a_certificate_has_it(address: IPv4Address | IPv6Address) -> None:
    """Without the brackets of a URL: an address in a certificate has none."""
    assert ip_address(_settings(_host(address)).host) == address


def _certificate(code: int, said: str = "said") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code, error.verify_message = code, said
    return error


def _tls(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError("it failed")
    error.reason = reason  # type: ignore[assignment]
    return error


@pytest.mark.parametrize(
    ("error", "ca", "said"),
    [
        (_certificate(20), CA, f"not one in {CA}"),
        (_certificate(18), None, "not one that the system trusts"),
        (_certificate(10), CA, "has expired"),
        (_certificate(9), CA, "not valid yet"),
        (_certificate(62), CA, "is not for cp1"),
        (_certificate(64), CA, "is not for cp1"),
        (_certificate(26, "unsuitable purpose"), CA, "unsuitable purpose"),
        (_tls("WRONG_VERSION_NUMBER"), CA, "speaks plain text"),
        (_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), CA, "asks for a certificate"),
        (_tls("TLSV1_ALERT_PROTOCOL_VERSION"), CA, "1.2 or later"),
        (_tls("BAD_THING"), CA, "TLS failed: BAD_THING"),
        (_tls(None), CA, "TLS failed: .*it failed"),
        (ConnectionResetError(), CA, None),
    ],
)
def test_a_fault_of_tls_is_said_in_words(error: BaseException, ca: Path | None, said: str | None) -> None:
    """The cause, and what to change; an error that is none of TLS stays what it is."""
    found = fault_of_tls(error, _settings("cp1", ca=ca))
    if said is None:
        assert found is None
    else:
        assert re.search(said, found or "")


LOGIN = Login("/etc/routecast/nats.creds", "vinay-laptop", None)


@pytest.mark.parametrize(
    ("said", "login", "node", "expected"),
    [
        ("nats: 'Authorization Violation'", None, True, "none are set.*routecast join"),
        ("authorization violation", None, False, "none are set.*routecast config show"),
        ("authorization violation", LOGIN, True, "vinay-laptop in /etc/.*revoked, or are another.*routecast node add"),
        ("user authentication revoked", LOGIN, True, "were revoked; .*routecast join"),
        ("user authentication expired", LOGIN, False, "have expired; .*config show"),
        ("authorization violation", Login("f", "n", NOW), True, "have expired on 2025-11-06"),
        ("authorization violation", Login("f", "n", NOW + timedelta(1)), True, "were revoked, or are another"),
    ],
)
def test_a_denial_says_whose_and_what_next(said: str, login: Login | None, node: bool, expected: str) -> None:
    """The server's words, the credentials by their file, and the command that gets new ones."""
    assert re.match(f"[a-z ]+: .*{expected}", denial(said, login, node=node, now=NOW))


@pytest.mark.parametrize(
    ("text", "denied", "violates"),
    [
        ("nats: 'Authorization Violation'", True, False),
        ("nats: authorization failed", True, False),
        ("nats: 'user authentication expired'", True, False),
        ("nats: 'authentication timeout'", False, False),
        ('nats: permissions violation for publish to "registry.auth"', False, True),
        ("nats: stale connection", False, False),
    ],
)
def test_the_servers_words_are_told_apart(text: str, denied: bool, violates: bool) -> None:
    """Kept out, one thing refused, or neither."""
    assert (is_denial(text), is_violation(text)) == (denied, violates)


def test_a_refusal_names_the_credentials() -> None:
    """Which ones may not, as far as that is known."""
    assert "the credentials of vinay-laptop in /etc" in refusal("permissions violation", LOGIN)
    assert "the login in use" in refusal("permissions violation", None)
