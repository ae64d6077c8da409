import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from common.signing import Signer, check_public_key, read_seed, verify
from tests.registries import SIGNER

SEED = base64.b64encode(bytes(range(32))).decode()


def _seed_file(path: Path, text: str = SEED, mode: int = 0o600) -> Path:
    file = path / "signing.seed"
    file.write_text(f"{text}\n")
    file.chmod(mode)
    return file


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_changed_byte_breaks_the_signature(body: bytes, data: st.DataObject) -> None:
    """A signature is good for its body alone, under its key alone."""
    signature = SIGNER.sign(body)
    assert verify(SIGNER.public_key, body, signature)
    at = data.draw(st.integers(0, len(body) - 1))
    assert not verify(SIGNER.public_key, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], signature)
    assert not verify(Signer(bytes(32)).public_key, body, signature)


@pytest.mark.parametrize("signature", ["", "!", "AAAA", SIGNER.sign(b"other")])
def test_garbage_is_no_signature(signature: str) -> None:
    """What is no signature verifies nothing, and raises nothing."""
    assert not verify(SIGNER.public_key, b"body", signature)
    assert not verify("no key", b"body", SIGNER.sign(b"body"))


def test_a_seed_is_made_with_the_documented_command(tmp_path: Path) -> None:
    """The command in the error message makes a seed that is read."""
    path = tmp_path / "signing.seed"
    with pytest.raises(ConfigError, match="urandom") as caught:
        read_seed(path)
    command = str(caught.value).split("make one with: ")[1]
    subprocess.run(["sh", "-c", command], check=True)
    assert check_public_key(read_seed(path).public_key)


def test_a_seed_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    """A seed open to others is no secret: refused with the command that mends it."""
    with pytest.raises(ConfigError, match="chmod 600"):
        read_seed(_seed_file(tmp_path, mode=0o644))


@pytest.mark.parametrize("text", ["", "not base64!", SEED[:-8], "\u00e4"])
def test_what_is_no_seed_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    """A broken seed file is named, its content never."""
    with pytest.raises(ConfigError, match="holds no signing seed") as caught:
        read_seed(_seed_file(tmp_path, text))
    assert not text or text not in str(caught.value)


def test_a_public_key_is_checked() -> None:
    """A typo in a public key is found when settings are read."""
    assert check_public_key(SIGNER.public_key) == SIGNER.public_key
    for wrong in ("", "abc", SIGNER.public_key[:-4]):
        with pytest.raises(ValueError, match="not a public key"):
            check_public_key(wrong)
