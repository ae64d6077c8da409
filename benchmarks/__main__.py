"""Print the tables: ``python -m benchmarks``."""

import sys
import tempfile
from pathlib import Path

from benchmarks import propagation, traefik
from cli.run import run
from common import log
from common.settings.log import LogSettings

_ROUNDS = 30
_LIMIT_RATIO = 1.75
_LIMIT_MS = 100
_JUDGED = 15
_LIMIT_SECURITY = 1.3


def main() -> int:
    """Measure fleets of 4 and 15 nodes, security, and Traefik; return 1 when the larger fleet is above its limits."""
    log.set_up(LogSettings(level="error"))
    print(f"registry change -> last stored ack, {_ROUNDS} changes each, in ms")
    print(f"{'nodes':>7} {'median':>8} {'max':>8} {'K':>6} {'F(N)':>6} {'W':>6} {'K+F+N*W':>8} {'ratio':>6}")
    measured = [_measure_fleet(nodes) for nodes in (4, _JUDGED)]
    judged = measured[-1]
    cost = _measure_security(judged.median_ms)
    _measure_traefik()
    holds = {
        f"{_JUDGED} nodes: at most {_LIMIT_RATIO} times the floor": judged.ratio <= _LIMIT_RATIO,
        f"{_JUDGED} nodes: below {_LIMIT_MS} ms": judged.median_ms < _LIMIT_MS,
        f"security: at most {_LIMIT_SECURITY} times as long": cost <= _LIMIT_SECURITY,
    }
    for promise, kept in holds.items():
        print(f"{promise}: {'yes' if kept else 'NO'}")
    return 0 if all(holds.values()) else 1


def _measure_fleet(nodes: int) -> propagation.Measured:
    with tempfile.TemporaryDirectory(prefix="routecast-bench-") as folder:
        m = run(propagation.measure(Path(folder), nodes, _ROUNDS))
    print(
        f"{m.nodes:>7} {m.median_ms:>8.1f} {m.max_ms:>8.1f} {m.k_ms:>6.1f} {m.f_ms:>6.1f} {m.w_ms:>6.2f} "
        f"{m.floor_ms:>8.1f} {m.ratio:>6.2f}"
    )
    return m


def _measure_security(without_ms: float) -> float:
    with tempfile.TemporaryDirectory(prefix="routecast-bench-") as folder:
        median_ms = run(propagation.measure_secure(Path(folder), _JUDGED, _ROUNDS))
    print(f"the same with credentials and TLS for everybody; floor: without, {_JUDGED} nodes")
    print(f"{_JUDGED:>7} {median_ms:>8.1f} {'':>29} {without_ms:>8.1f} {median_ms / without_ms:>6.2f}")
    return median_ms / without_ms


def _measure_traefik() -> None:
    with tempfile.TemporaryDirectory(prefix="routecast-bench-") as folder:
        m = run(traefik.measure(Path(folder), _ROUNDS))
    print("one node's change -> served by Traefik, as its API says; floor: the bare file")
    print(f"{'traefik':>7} {m.median_ms:>8.1f} {m.max_ms:>8.1f} {'':>20} {m.floor_ms:>8.1f} {m.ratio:>6.2f}")


if __name__ == "__main__":
    sys.exit(main())
