from tests.world import LAPTOPS, World


async def test_a_laptop_that_was_away_applies_once(world: World) -> None:
    """Offline for twenty versions, a laptop runs the newest after one apply when it is back."""
    sleeper, other = LAPTOPS
    async with world.publisher(quiet_delay_s=0.01, max_delay_s=0.02), world.nodes(other):
        async with world.node(sleeper).running():
            await world.synced(sleeper, other)
        before = len(await world.acks(sleeper))
        for i in range(20):
            order = await world.order()
            app = {"subdomain": f"app-{i}", "ip": "100.67.243.20", "port": 80}
            world.registry.edit_services(lambda services, n=f"app-{i}", a=app: services.update({n: a}))
            await world.published(above=order)
        async with world.node(sleeper).running():
            newest = await world.synced(sleeper)
        records = (await world.acks(sleeper))[before:]
    assert newest.version >= 21
    writes = [record for record in records if any(target.changed for target in record.targets.values())]
    assert len(writes) == 1
    assert writes[0].targets["hosts"].created == 20
