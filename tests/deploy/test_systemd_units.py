import os
import re
import subprocess
from pathlib import Path

import pytest

from common.settings.load import DEFAULT_PATH
from common.settings.publisher import PublisherSettings
from common.settings.subscriber import DnsmasqSettings, SubscriberSettings, TraefikSettings
from tests.deploy.room import missing
from tests.deploy.systemd import DROP_INS, PROGRAM, PUBLISHER, SUBSCRIBER, UNITS, install, read_unit

VARIANTS = [
    *((unit, drop_in) for unit, names in DROP_INS.items() for drop_in in (None, *names)),
    (SUBSCRIBER, "credentials"),
]
EXPOSURE = {SUBSCRIBER: 2.5, PUBLISHER: 1.5}
"""What `systemd-analyze security` may say at most, of 10."""

needs_analyze = pytest.mark.skipif(
    bool(missing(["systemd-analyze"])), reason="systemd-analyze is not installed (Debian: systemd)"
)


def _analyze(*words: str, units: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on nothing but `units` and what systemd itself ships."""
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:/lib/systemd/system", "SYSTEMD_COLORS": "0"}
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment,
    )


@needs_analyze
@pytest.mark.parametrize(("unit", "drop_in"), VARIANTS)
def test_systemd_takes_every_word_of_the_units(tmp_path: Path, unit: str, drop_in: str | None) -> None:
    """`systemd-analyze verify` finds no unknown setting and no dependency that leads nowhere, with every drop-in."""
    installed = install(tmp_path, unit, *([drop_in] if drop_in else []))
    program = tmp_path / "routecast"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    # verify wants to see the program; nothing else of the unit is touched
    installed.write_text(installed.read_text().replace(PROGRAM, str(program)))

    done = _analyze("verify", "--man=no", "--recursive-errors=no", str(installed), units=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@needs_analyze
@pytest.mark.parametrize(("unit", "drop_in"), VARIANTS)
def test_what_a_unit_may_do_is_little(tmp_path: Path, unit: str, drop_in: str | None) -> None:
    """`systemd-analyze security` rates each unit, with every drop-in, as at most mildly exposed."""
    installed = install(tmp_path, unit, *([drop_in] if drop_in else []))
    done = _analyze(
        "security", "--offline=true", f"--threshold={EXPOSURE[unit] * 10:.0f}", str(installed), units=tmp_path
    )
    assert done.returncode == 0, done.stdout
    rated = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert rated is not None
    assert float(rated[1]) <= EXPOSURE[unit]


def test_the_units_know_nothing_newer_than_systemd_252() -> None:
    """Debian 12 has systemd 252: what came later would be ignored there with a warning in the log."""
    later = {"RestartSteps", "RestartMaxDelaySec", "RestartMode", "SurviveFinalKillSignal", "ImportCredential"}
    for path in UNITS.rglob("*.*"):
        if path.is_file():
            assert not later & read_unit(path).keys()
            assert "notify-reload" not in read_unit(path).get("Type", [])


def test_a_unit_is_started_again_for_ever() -> None:
    """A service that failed comes back, however often it failed, and a node that hangs is restarted by the watchdog."""
    for name in (SUBSCRIBER, PUBLISHER):
        unit = read_unit(UNITS / name)
        assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])
        assert float(unit["RestartSec"][0]) >= 1
    subscriber = read_unit(UNITS / SUBSCRIBER)
    assert (subscriber["Type"], subscriber["NotifyAccess"]) == (["notify"], ["main"])
    assert subscriber["WatchdogSec"] == ["90"]
    assert subscriber["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_units_agree_with_the_settings() -> None:
    """What the units open for writing is where the default settings write."""
    subscriber, publisher = read_unit(UNITS / SUBSCRIBER), read_unit(UNITS / PUBLISHER)
    drop_ins = {name: read_unit(UNITS / f"{SUBSCRIBER}.d" / f"{name}.conf") for name in DROP_INS[SUBSCRIBER]}
    writable = {name: Path(unit["ReadWritePaths"][-1].removeprefix("-")) for name, unit in drop_ins.items()}
    state_dir = Path("/var/lib") / subscriber["StateDirectory"][0]
    traefik, dnsmasq = TraefikSettings(), DnsmasqSettings()

    assert SubscriberSettings().state_dir == state_dir
    assert {traefik.directory.parent, traefik.staging_dir.parent} == {writable["vps"]}
    assert dnsmasq.drop_in.parent == writable["dnsmasq"]
    assert dnsmasq.hosts_file.is_relative_to(state_dir)
    assert str(PublisherSettings().signing_seed_file) == publisher["LoadCredential"][0].partition(":")[2]
    assert DEFAULT_PATH.parent == Path("/etc/routecast")
