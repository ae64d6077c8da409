"""Find versions in the streams by the names that people give them."""

from cli.newest import Newest, nothing_published, open_untrusted, read_newest_untrusted
from cli.values import VersionName
from common.bus import Bus
from common.errors import NothingToShow, SnapshotRejected
from common.snapshot import Order, Snapshot
from common.streams import Stored, history_orders, read_version


async def find(bus: Bus, name: VersionName | None) -> tuple[Stored, Snapshot]:
    """Return a version and its message; None names the newest.

    Raises:
        NothingToShow: it is not kept, or cannot be read.

    """
    newest = await read_newest_untrusted(bus)
    if name is None:
        return _whole(newest)
    order = Order(name.epoch or await _newest_epoch(bus, newest), name.version)
    if newest is not None and newest.fault is None and newest.snapshot is not None and newest.snapshot.order == order:
        return newest.stored, newest.snapshot
    return await read_kept(bus, order)


async def find_previous(bus: Bus, order: Order) -> tuple[Stored, Snapshot]:
    """Return the version before another one.

    Raises:
        NothingToShow: there is none that is kept, or it cannot be read.

    """
    before = [kept for kept in await history_orders(bus) if kept < order]
    if not before:
        raise NothingToShow(f"no version before {order} is kept")
    return await read_kept(bus, before[-1])


async def read_kept(bus: Bus, order: Order) -> tuple[Stored, Snapshot]:
    """Return a version from the history.

    Raises:
        NothingToShow: it is not kept, or cannot be read.

    """
    stored = await read_version(bus, order)
    if stored is None:
        raise NothingToShow(f"version {order} is not kept; `routecast stream log` lists what is")
    try:
        return stored, open_untrusted(stored.sealed)
    except SnapshotRejected as e:
        raise NothingToShow(f"version {order} cannot be read: {e}") from e


def _whole(newest: Newest | None) -> tuple[Stored, Snapshot]:
    if newest is None:
        raise nothing_published()
    if newest.fault is not None or newest.snapshot is None:
        raise NothingToShow(f"{newest.fault}; give a version that `routecast stream log` lists")
    return newest.stored, newest.snapshot


async def _newest_epoch(bus: Bus, newest: Newest | None) -> int:
    if newest is not None and newest.snapshot is not None:
        return newest.snapshot.epoch
    orders = await history_orders(bus)
    if not orders:
        raise nothing_published()
    return orders[-1].epoch
