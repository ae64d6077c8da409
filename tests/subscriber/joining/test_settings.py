import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from common.errors import ConfigError
from common.models import Role
from common.settings.edit import edit_settings
from common.trust.token import JoinToken
from subscriber.joining.places import AUTHORITY, CREDENTIALS
from subscriber.joining.settings import changes_for, read_settings, undoing
from tests.registries import INSTALLATION, SIGNER


def _token(**fields: Any) -> JoinToken:
    values: dict[str, Any] = {
        "url": "tls://100.122.68.75:4222",
        "tls": "required",
        "authority": "PEM",
        "node": "my-laptop",
        "role": Role.LAPTOP,
        "installation": INSTALLATION,
        "public_keys": (SIGNER.public_key,),
        "zones": ("mycloud.local",),
        "issuer": "A",
        "id": "J0123456789abcdef",
        "expires": datetime(2030, 1, 1, tzinfo=UTC),
        "secret": SecretStr("s"),
        "jwt": SecretStr("j"),
        "seed": SecretStr("k"),
    }
    return JoinToken.model_validate({**values, **fields})


def test_a_token_sets_how_nats_is_reached_who_this_is_and_what_it_takes() -> None:
    """And nothing else."""
    changes = changes_for(_token(), {})
    assert {section: set(values) for section, values in changes.items()} == {
        "nats": {"url", "tls", "ca_file", "credentials_file"},
        "subscriber": {"node", "role", "installation", "public_keys"},
        "policy": {"zones"},
    }


def test_the_control_planes_own_way_to_nats_stays() -> None:
    """A control plane that is a node too keeps its operator's credentials; the service gets its own from the unit."""
    operator = {"nats": {"credentials_file": "/etc/routecast/trust/operator.creds"}}
    assert "nats" not in changes_for(_token(), operator)
    assert "nats" in changes_for(_token(), {"nats": {"credentials_file": str(CREDENTIALS)}})


def test_an_authority_that_is_no_more_is_not_trusted() -> None:
    """With a token for a server that every system trusts, that of an earlier join goes; the owner's stays."""
    assert changes_for(_token(authority=None), {"nats": {"ca_file": str(AUTHORITY)}})["nats"]["ca_file"] is None
    assert "ca_file" not in changes_for(_token(authority=None), {"nats": {"ca_file": "/mine.crt"}})["nats"]


def test_any_stands_for_all_zones() -> None:
    """A token that pins none says so by the word."""
    assert changes_for(_token(zones=("any",)), {})["policy"] == {"zones": "any"}


def test_undoing_brings_back_what_the_file_said(tmp_path: Path) -> None:
    """Of our settings each goes back to its value before, or goes; others stay as they are."""
    before = '[nats]\nurl = "nats://127.0.0.1:4222"\n\n[log]\nlevel = "debug"\n'
    file = tmp_path / "routecast.toml"
    file.write_text(before)
    edit_settings(file, changes_for(_token(), tomllib.loads(before)))
    file.write_text(file.read_text() + "max_names = 7\n")  # [policy] stands last
    edit_settings(file, undoing(before.encode()))
    left = tomllib.loads(file.read_text())
    assert left.pop("policy") == {"max_names": 7}
    assert {section: values for section, values in left.items() if values} == tomllib.loads(before)


def test_the_settings_are_those_of_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service has them: a variable of this shell is not the service's."""
    monkeypatch.setenv("ROUTECAST_SUBSCRIBER_NODE", "of-the-shell")
    file = tmp_path / "routecast.toml"
    assert read_settings(file).subscriber.node is None
    file.write_text('[subscriber]\nnode = "BAD NAME"\n[nats]\nurl = "http://x"\n')
    with pytest.raises(ConfigError, match=r"subscriber\.node(.|\n)*|nats\.url"):
        read_settings(file)
    file.write_text("[[")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_settings(file)
