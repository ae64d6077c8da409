"""The token of the nodes' account, at the server: who is in it, and who is kept out of it.

The server takes an older token without a word and does nothing with it; so what it has is read back.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from common import log
from common.bus import Bus, translated
from common.clock import now
from common.errors import BusUnavailable
from common.trust.jwt import read_claims
from publisher.trust import claims
from publisher.trust.keyring import Keyring

_log = log.get(__name__)

FOR_EVER = 1 << 40
"""Until when the tokens of a revoked key are void, in s since 1970: whoever issued one, and whatever its clock said."""
_OK = 200


class NodesAccount:
    """The nodes' account, over one connection to the system account."""

    def __init__(self, bus: Bus, keys: Keyring) -> None:
        self._bus = bus
        self._keys = keys
        self._subject = f"$SYS.REQ.ACCOUNT.{keys.nodes.public}.CLAIMS"

    async def keep_out(self, revoked: Collection[str]) -> bool:
        """Have the server refuse these keys, and whom it refuses already; tell whether it had to be told.

        Connections of theirs are cut, others stay. A server that has nothing to learn is left alone.

        Raises:
            BusUnavailable: it does not answer, or did not take it.

        """
        before = await self._read()
        wanted = {**_revocations(before), **dict.fromkeys(revoked, FOR_EVER)}
        if _says(before, wanted, self._keys):
            return False
        at = max(now(), datetime.fromtimestamp(int(before.get("iat", 0)), UTC))  # an older one would not be taken
        await self._write(claims.nodes_token(self._keys, at, wanted))
        if not _says(await self._read(), wanted, self._keys):
            raise BusUnavailable("the NATS server confirmed who is to be kept out, and does not do it")
        _log.info("nats keeps out", keys=len(wanted), new=len(wanted.keys() - _revocations(before).keys()))
        return True

    async def _read(self) -> Mapping[str, Any]:
        """Return what the server's token of the account says; nothing when it has none."""
        with translated("reading the nodes' account", self._bus):
            answer = await self._bus.nc.request(f"{self._subject}.LOOKUP", timeout=self._bus.timeout_s)
        try:
            return read_claims(answer.data.decode()) if answer.data else {}
        except ValueError as e:
            raise BusUnavailable("the NATS server's answer about the nodes' account cannot be read") from e

    async def _write(self, token: str) -> None:
        with translated("renewing the nodes' account", self._bus):
            answer = await self._bus.nc.request(f"{self._subject}.UPDATE", token.encode(), timeout=self._bus.timeout_s)
        said = orjson.loads(answer.data or b"{}")
        if (said.get("data") or {}).get("code") != _OK:
            why = (said.get("error") or {}).get("description") or "no reason given"
            raise BusUnavailable(f"the NATS server did not take the nodes' account: {why}")


def _revocations(found: Mapping[str, Any]) -> Mapping[str, int]:
    kept: Mapping[str, int] = (found.get("nats") or {}).get("revocations") or {}
    return kept


def _says(found: Mapping[str, Any], revoked: Mapping[str, int], keys: Keyring) -> bool:
    """Tell whether a token says what ours would, whenever it was made."""
    ours = read_claims(claims.nodes_token(keys, datetime.fromtimestamp(0, UTC), revoked))
    return bool(found.get("nats") == ours["nats"])
