from common.ack import State
from common.control import ControlReply, ControlRequest
from common.snapshot import Reason
from tests.control import ask
from tests.world import LAPTOPS, NODES, VPSS, World, until


def _files(world: World) -> dict[str, tuple[int, int]]:
    """Return inode and mtime (ns) of every file that the targets own."""
    paths = [world.node(name).hosts for name in LAPTOPS] + [world.node(name).routes for name in VPSS]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


async def test_a_push_is_answered_by_all_and_writes_nothing(world: World) -> None:
    """A republish has the same epoch, version and digest; every node acks it, no file is touched."""
    async with world.publisher(), world.nodes():
        before = await world.synced()
        files = _files(world)
        reply = await ask(world, ControlRequest(op="push", request_id="1", by="test"))
        assert reply == ControlReply(
            ok=True, epoch=before.epoch, version=before.version, digest=before.digest, stream_seq=reply.stream_seq
        )
        again = await world.newest()
        assert again is not None
        assert again.reason is Reason.PUSH
        assert again.created_at == before.created_at
        assert again.published_at > before.published_at
        for node in NODES:
            ack = await until(lambda name=node: _answer(world, name, reply.stream_seq), f"{node} answers")
            assert ack.state is State.APPLIED
            assert not any(target.changed for target in ack.targets.values())
        assert _files(world) == files


async def _answer(world: World, node: str, seq: int | None) -> object:
    ack = await world.ack(node)
    return ack if ack is not None and ack.stream_seq == seq else None


async def test_an_unknown_operation_is_refused_in_words(world: World) -> None:
    """A publisher that does not know an operation says which ones it knows; garbage is answered too."""
    async with world.publisher():
        await world.published()
        reply = await ask(world, ControlRequest(op="explode", request_id="1", by="test"))
        assert not reply.ok
        assert "push, reconcile" in (reply.error or "")
        assert not (await ask(world, b"{")).ok
