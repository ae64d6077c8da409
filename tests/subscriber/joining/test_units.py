import itertools
from pathlib import Path

import pytest

from common.settings.subscriber import PRESETS, TargetName
from subscriber.joining.units import PROGRAM, UNIT, UNIT_FILES, unit_files
from tests.deploy.systemd import SUBSCRIBER, UNITS, read_unit

COMBINATIONS = [mix for size in range(4) for mix in itertools.combinations(TargetName, size)]


@pytest.mark.parametrize("targets", COMBINATIONS)
def test_the_service_may_write_where_its_targets_do(targets: tuple[TargetName, ...], tmp_path: Path) -> None:
    """Of several drop-ins that each open their own paths the last one counts, and opens those of all."""
    needed = {TargetName.HOSTS: "/etc", TargetName.DNSMASQ: "-/etc/dnsmasq.d", TargetName.TRAEFIK: "-/etc/traefik"}
    writable: list[str] = []
    for path, content in sorted(unit_files(targets, PROGRAM).items()):
        (tmp_path / "unit").write_bytes(content)
        for value in read_unit(tmp_path / "unit").get("ReadWritePaths", []):
            writable = [*writable, value] if value else []
        assert path in UNIT_FILES
    assert "/etc" in writable or set(writable) == {needed[each] for each in targets}
    if targets and TargetName.HOSTS not in targets:
        assert "/etc" not in writable


def test_what_is_installed_is_what_is_shipped() -> None:
    """The unit and its drop-ins are those of deploy/systemd, byte for byte, and every node gets its credentials."""
    for targets in PRESETS.values():
        for path, content in unit_files(targets, PROGRAM).items():
            assert content == (UNITS / path.relative_to(UNIT.parent)).read_bytes()
        assert UNIT.with_name(f"{SUBSCRIBER}.d") / "credentials.conf" in unit_files(targets, PROGRAM)


def test_the_unit_starts_the_program_that_joined() -> None:
    """An installation elsewhere than /opt/routecast starts itself."""
    unit = unit_files((TargetName.HOSTS,), Path("/srv/routecast/bin/routecast"))[UNIT]
    assert b"\nExecStart=/srv/routecast/bin/routecast subscriber run\n" in unit
    assert bytes(PROGRAM) not in unit
