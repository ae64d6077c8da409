import subprocess
import sys

import pytest

from common.errors import ConfigError
from common.settings import Settings
from subscriber.targets import build_targets


def targets_of(**subscriber: object) -> list[str]:
    """Return the names of the targets for some settings."""
    return [target.name.value for target in build_targets(Settings.model_validate({"subscriber": subscriber}))]


def test_the_role_picks_the_targets_and_the_setting_goes_before_it() -> None:
    """A laptop writes names, a VPS routes; any target may run on any role, each once."""
    assert targets_of(role="laptop") == targets_of(role="worker") == ["hosts"]
    assert targets_of(role="vps", node="a") == ["traefik"]
    assert targets_of(role="vps", node="a", targets=["dnsmasq", "hosts", "dnsmasq"]) == ["dnsmasq", "hosts"]
    assert targets_of(targets=[]) == []


def test_routes_need_the_nodes_name() -> None:
    """Without it nobody knows which VPS this is: the error names the setting."""
    with pytest.raises(ConfigError, match="node"):
        targets_of(role="vps")


def test_a_laptop_loads_only_what_it_uses() -> None:
    """With the target hosts neither httpx nor dnspython is imported."""
    program = (
        "import sys; from common.settings import Settings; from subscriber.targets import build_targets;"
        "build_targets(Settings()); print(sorted({'httpx', 'dns'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
