"""Decide whether a connection to NATS uses TLS, and say in words why one was not made. Pure.

Plain text is the exception, and everything that is not plainly one of its cases is TLS: a name could be anybody's, an
address cannot. Which server we then talk to is what its certificate proves, before either side says a word
(FACTS 4f: a client that waits for the server's word whether there is TLS can be talked out of it).
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address

from common.settings.nats import NatsSettings, Tls

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
TAILNET = (IPv4Network("100.64.0.0/10"), IPv6Network("fd7a:115c:a1e0::/48"))
"""What Tailscale and Headscale give to machines (RFC 6598, and their own range of unique local addresses)."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How a connection is made."""

    tls: bool
    why: str
    """In words, to follow "because"."""


def choose(settings: NatsSettings) -> Transport:
    """Return whether the connection to the server of `settings` uses TLS."""
    if settings.url.scheme == "tls":
        return Transport(tls=True, why="nats.url says tls://")
    if settings.ca_file is not None:
        return Transport(tls=True, why="nats.ca_file is set")
    if is_loopback(settings.host):
        return Transport(tls=False, why="the server is on this machine's loopback")
    if settings.tls is Tls.TAILNET:
        if _within(settings.host, TAILNET):
            return Transport(tls=False, why='the server has an address of the tailnet, and nats.tls is "tailnet"')
        return Transport(tls=True, why=f"{settings.host} is no address of the tailnet, which alone may do without")
    return Transport(tls=True, why="the server is not on this machine's loopback")


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine, and nobody else's word for it is needed."""
    return host.lower() == "localhost" or _within(host, LOOPBACK)


def _within(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Tell whether `host` is an address, as an address is written, in one of `networks`."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)


_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = {62, 64}
"""Codes of OpenSSL's verification (x509_vfy.h)."""

_PLAIN = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "PACKET_LENGTH_TOO_LONG"}
"""How OpenSSL calls what it gets from a server that greets in plain text; it differs between versions."""

SPEAKS_PLAIN = (
    "it speaks plain text before TLS, so anybody in between could be it: nothing was sent to it; set "
    "`handshake_first: true` in the `tls` block of its configuration"
)


def fault_of_tls(error: BaseException, settings: NatsSettings) -> str | None:
    """Return why the server was not believed, and what to do; None when `error` has nothing to do with TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _fault_of_certificate(error, settings)
    if not isinstance(error, ssl.SSLError):
        return None
    reason = str(error.reason or error)
    if reason in _PLAIN:
        return SPEAKS_PLAIN
    if "CERTIFICATE_REQUIRED" in reason:
        return "it asks for a certificate of the client, and routecast has none: take `verify` out of its `tls` block"
    if "PROTOCOL" in reason:
        return f"it has no version of TLS in common with us, which must be 1.2 or later ({reason})"
    return f"TLS failed: {reason}"


def _fault_of_certificate(error: ssl.SSLCertVerificationError, settings: NatsSettings) -> str:
    code = error.verify_code
    if code in _UNKNOWN_AUTHORITY:
        trusted = "that the system trusts" if settings.ca_file is None else f"in {settings.ca_file}"
        return (
            f"its certificate is of an authority that is not one {trusted}: set nats.ca_file to the right one, or "
            "this is not the server that it should be"
        )
    if code == _EXPIRED:
        return "its certificate has expired (or this machine's clock is wrong): renew it on the control plane"
    if code == _NOT_YET_VALID:
        return "its certificate is not valid yet: one of the clocks is wrong; see `timedatectl`"
    if code in _OTHER_NAME:
        return (
            f"its certificate is not for {settings.host}: use a name or address in nats.url that it is for, or have "
            "one made that is"
        )
    return f"its certificate is not accepted: {error.verify_message}"


@dataclass(frozen=True, slots=True)
class Login:
    """With what somebody asks to be let in."""

    file: str
    name: str
    expires: datetime | None


def is_denial(text: str) -> bool:
    """Tell whether the server's words mean that it does not let us in, or not any longer.

    An authentication timeout is none: there the server has only not heard us in time.
    """
    lower = text.lower()
    return "auth" in lower and "timeout" not in lower and not is_violation(text)


def is_violation(text: str) -> bool:
    """Tell whether the server's words mean that it let us in, and refuses one thing."""
    return "permissions violation" in text.lower()


def denial(said: str, login: Login | None, *, node: bool, now: datetime) -> str:
    """Return why the server does not let us in, in plain words, and the next command.

    It says little itself (`said`): of a token that was revoked no more than of one that it never heard of.
    """
    said = said.removeprefix("nats: ").strip("'").lower()
    if login is None:
        return f"{said}: it asks for credentials, and none are set; {_RENEW[node]}"
    whose = f"the credentials of {login.name} in {login.file}"
    if "expired" in said or (login.expires is not None and login.expires <= now):
        when = f" on {login.expires:%Y-%m-%d}" if login.expires is not None else ""
        return f"{said}: {whose} have expired{when}; {_RENEW[node]}"
    if "revoked" in said:
        return f"{said}: {whose} were revoked; {_RENEW[node]}"
    return f"{said}: {whose} were revoked, or are another server's; {_RENEW[node]}"


_RENEW = {
    True: "have a token made on the control plane with `routecast node add`, then run `sudo routecast join` here again",
    False: "`routecast config show` says which credentials are used; `sudo routecast init` makes the control plane's",
}


def refusal(violation: str, login: Login | None) -> str:
    """Return what a refused request means, to follow what was asked."""
    whose = "the login in use may" if login is None else f"the credentials of {login.name} in {login.file} may"
    return f"NATS refused it ({violation.removeprefix('nats: ')}): {whose} not do that"
