"""The part of the NATS server's configuration that says who may connect. Pure.

The static part, ``deploy/nats/nats-server.conf``, includes it.
"""

from datetime import datetime
from pathlib import PurePath

import orjson

from publisher.trust import claims
from publisher.trust.keyring import Keyring

FILE = "access.conf"
CERTIFICATE, KEY, AUTHORITY = "server.crt", "server.key", "ca.crt"


def access_conf(keys: Keyring, at: datetime, *, directory: PurePath, accounts: PurePath) -> str:
    """Return the text of ``access.conf``.

    `directory` is where the server finds the certificate, `accounts` where it keeps the accounts' tokens: the nodes'
    one is renewed by the publisher when a node is revoked.
    """
    preload = {
        keys.system.public: claims.system_token(keys, at),
        keys.core.public: claims.core_token(keys, at),
        keys.nodes.public: claims.nodes_token(keys, at, {}),
    }
    tokens = "\n".join(f"  {account}: {_text(token)}" for account, token in preload.items())
    return f"""\
# Who may connect to this NATS server. Made by `routecast init`; nothing in it is secret.

operator: {_text(claims.operator_token(keys, at))}
system_account: {keys.system.public}

resolver {{
  type: full
  dir: {_text(accounts)}
  allow_delete: false
  interval: "2m"
}}
resolver_preload {{
{tokens}
}}

# No client speaks before it has seen the certificate: nobody in between can talk one into plain text.
tls {{
  cert_file: {_text(directory / CERTIFICATE)}
  key_file: {_text(directory / KEY)}
  min_version: "1.3"
  handshake_first: true
  timeout: 5
}}
"""


def _text(value: object) -> str:
    """Return a text as the server's configuration writes it: as JSON does."""
    return orjson.dumps(str(value)).decode()
