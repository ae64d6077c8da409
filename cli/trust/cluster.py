"""The steps of a rotation where the seeds are a Secret, which only the cluster's API can change. Pure.

Names are those of `deploy/kubernetes`. No seed is ever in a command line: the first step keeps it in a file of mode
0600, the others move it inside the Secret.
"""

import json
import shlex

from publisher.signing import Stage

_PATCH = "kubectl -n routecast patch secret routecast-trust"


def commands(stage: Stage, seed: str) -> tuple[str, ...]:
    """Return what is to be typed for the next step of a rotation at `stage`; `seed` is the seed's key in the Secret."""
    patch = f'{{"data":{{"{seed}.next":"%s"}}}}'
    current, later, previous = (f"/data/{seed}{suffix}" for suffix in ("", ".next", ".previous"))
    steps = {
        Stage.NONE: (
            f"(umask 077; printf {shlex.quote(patch)} "
            '"$(head -c 32 /dev/urandom | base64 | base64 -w 0)" > next-seed.json)',
            f"{_PATCH} --type merge --patch-file next-seed.json && rm next-seed.json",
        ),
        Stage.ANNOUNCING: (
            _changed(
                {"op": "copy", "from": current, "path": previous},
                {"op": "move", "from": later, "path": current},
            ),
        ),
        Stage.RETIRING: (_changed({"op": "remove", "path": previous}),),
    }
    return steps[stage]


def _changed(*operations: dict[str, str]) -> str:
    return f"{_PATCH} --type json --patch {shlex.quote(json.dumps(operations))}"
