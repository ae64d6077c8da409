"""Ask Traefik's API what it serves (https://doc.traefik.io/traefik/reference/install-configuration/api-dashboard/)."""

import asyncio
import random
from collections.abc import Collection
from typing import Any

import httpx

from subscriber.targets.traefik_check import Served, Verdict, judge
from subscriber.targets.traefik_config import Entries, Table

_PER_PAGE = 1000
_FIRST_PAUSE_S = 0.03
_LONGEST_PAUSE_S = 0.5
_REFUSAL_STANDS_S = 1.0
"""After which a refusal is believed: what is refused is not served meanwhile, also when its previous form was."""


class Unreachable(Exception):
    """Raise when the API does not answer as Traefik's does: then only the file can be checked."""


class TraefikApi:
    """The API at a URL, asked for at most `limit_s`."""

    def __init__(self, url: str, limit_s: float) -> None:
        self._url = url.rstrip("/")
        self._limit_s = limit_s

    async def settle(self, desired: Entries, gone: Collection[str]) -> Verdict:
        """Ask until all of `desired` is served and nothing of `gone`, or the time is over; return the last verdict.

        Raises:
            Unreachable: the API does not answer.

        """
        verdict: Verdict | None = None
        refused_since: float | None = None
        pause_s = _FIRST_PAUSE_S
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._limit_s
        # Only for https: reading the certificates takes longer than all the rest.
        https = self._url.startswith("https:")
        verify = await asyncio.to_thread(httpx.create_ssl_context) if https else False
        try:
            async with (
                asyncio.timeout(self._limit_s),
                # A proxy of the environment is not meant for the Traefik beside us.
                httpx.AsyncClient(trust_env=False, verify=verify, timeout=self._limit_s) as client,
            ):
                while True:
                    verdict = judge(await self._read(client), desired, gone)
                    refused_since = (refused_since or clock()) if verdict.final else None
                    if verdict.good or (refused_since is not None and clock() - refused_since > _REFUSAL_STANDS_S):
                        return verdict
                    if clock() + pause_s > deadline:  # beside the timeout: Python 3.11 may swallow a cancellation
                        return verdict
                    await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter is no secret
                    pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        except TimeoutError as e:
            if verdict is None:
                raise Unreachable(f"{self._url} does not answer within {self._limit_s:g} s") from e
            return verdict

    async def _read(self, client: httpx.AsyncClient) -> Served:
        routers = await self._list(client, "routers")
        return Served(routers, await self._list(client, "services"))

    async def _list(self, client: httpx.AsyncClient, kind: str) -> dict[str, Table]:
        """Return all objects of a kind by name, page after page: the header names the next one, 1 after the last."""
        found: dict[str, Table] = {}
        page = 1
        while True:
            items, following = await self._page(client, kind, page)
            found.update((item["name"], item) for item in items)
            if following <= page:
                return found
            page = following

    async def _page(self, client: httpx.AsyncClient, kind: str, page: int) -> tuple[list[dict[str, Any]], int]:
        url = f"{self._url}/api/http/{kind}"
        try:
            response = await client.get(url, params={"page": page, "per_page": _PER_PAGE})
            items = response.raise_for_status().json()
            return [item for item in items if item["name"]], int(response.headers.get("X-Next-Page", 1))
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as e:
            raise Unreachable(f"{url} does not answer as Traefik's API does: {str(e) or type(e).__name__}") from e
