"""How the cluster is found, and who we are there."""

import asyncio
import json
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.config.incluster_config import InClusterConfigLoader

from common.errors import ConfigError
from common.settings.publisher import PublisherSettings
from publisher.source.cluster.login import read_in_thread
from publisher.source.open import open_source
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.kubernetes_http import TOKEN


async def _list(settings: PublisherSettings) -> None:
    async with open_source(settings) as source:
        assert all(document.why is None for document in (await source.list()).values())


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{", "a: b", '{"contexts": [], "clusters": [], "current-context": "x"}']
)
async def test_a_kubeconfig_that_is_not_usable_says_so(tmp_path: Path, content: str | None) -> None:
    """With its path, and what to set."""
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"the kubeconfig .*/kubeconfig is not usable"):
        await _list(PublisherSettings(kubeconfig=file))


async def test_a_context_that_is_not_there_says_so(api: FakeKubernetes, tmp_path: Path) -> None:
    """Never another cluster instead."""
    file = api.kubeconfig(tmp_path / "kubeconfig")
    with pytest.raises(ConfigError, match="nowhere"):
        await _list(PublisherSettings(kubeconfig=file, context="nowhere"))


async def test_the_context_of_the_settings_counts(api: FakeKubernetes, tmp_path: Path) -> None:
    """Before the current one."""
    file = api.kubeconfig(tmp_path / "kubeconfig")
    config = json.loads(file.read_text())
    config["contexts"].append({"name": "other", "context": {"cluster": "fake", "user": "client"}})
    file.write_text(json.dumps({**config, "current-context": "gone"}))
    await _list(PublisherSettings(kubeconfig=file, context="other"))


async def test_a_program_can_give_the_login(api: FakeKubernetes, tmp_path: Path) -> None:
    """As cloud providers' kubeconfigs do."""
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": TOKEN, "expirationTimestamp": "2020-01-01T00:00:00Z"},
    }
    file = api.kubeconfig(tmp_path / "kubeconfig")
    config = json.loads(file.read_text())
    program = {
        "apiVersion": answer["apiVersion"],
        "command": sys.executable,
        "args": ["-c", f"print({json.dumps(answer)!r})"],
        "interactiveMode": "Never",
    }
    config["users"] = [{"name": "client", "user": {"exec": program}}]
    file.write_text(json.dumps(config))
    await _list(PublisherSettings(kubeconfig=file))
    config["users"][0]["user"]["exec"]["args"] = shlex.split("-c 'raise SystemExit(3)'")
    file.write_text(json.dumps(config))
    async with open_source(PublisherSettings(kubeconfig=file)) as source:
        assert all("does not know this user" in (document.why or "") for document in (await source.list()).values())


LIST = """
import asyncio
from common.settings.publisher import PublisherSettings
from publisher.source.open import open_source

async def main():
    async with open_source(PublisherSettings()) as source:
        print(sorted(await source.list()))

asyncio.run(main())
"""


async def _run(home: Path, **environment: str) -> tuple[int | None, str]:
    """List with no settings but the environment, which the client reads when it is imported."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LIST,
        env={"HOME": str(home), **environment},
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_without_settings_the_environments_kubeconfig_counts(api: FakeKubernetes, tmp_path: Path) -> None:
    """As with kubectl."""
    code, output = await _run(tmp_path, KUBECONFIG=str(api.kubeconfig(tmp_path / "named")))
    assert (code, "service-registry" in output) == (0, True), output
    (tmp_path / ".kube").mkdir()
    api.kubeconfig(tmp_path / ".kube" / "config")
    code, output = await _run(tmp_path)
    assert (code, "service-registry" in output) == (0, True), output


async def test_outside_a_cluster_and_without_a_kubeconfig_it_says_what_to_set(tmp_path: Path) -> None:
    """There is nowhere to look."""
    code, output = await _run(tmp_path)
    assert code == 1
    assert "the service account of the pod is not usable: Service host/port is not set" in output
    assert "set publisher.kubeconfig or publisher.registry_dir" in output


async def test_a_service_accounts_token_is_read_again_when_it_is_old(tmp_path: Path) -> None:
    """It changes while the pod runs; reading it never blocks the event loop."""
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first")
    ca.write_text("ca")
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    loader: Any = InClusterConfigLoader(token, str(ca), environ=environment)  # type: ignore[no-untyped-call]
    configuration: Any = client.Configuration()
    loader.load_and_set(configuration)
    configuration.refresh_api_key_hook = read_in_thread(configuration.refresh_api_key_hook)
    for content in ("first", "second", "third"):
        token.write_text(content)
        loader.token_expires_at = datetime.min
        assert await configuration.get_api_key_with_prefix("BearerToken") == f"bearer {content}"
