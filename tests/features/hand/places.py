"""Where a hand edits the registry: a file of a folder in an editor, or a ConfigMap with `kubectl edit`."""

import shlex
import sys
from pathlib import Path
from typing import Any, Protocol

from tests.fakes.kubectl import Kubectl
from tests.fakes.kubernetes import FakeKubernetes
from tests.features.hand.change import Change
from tests.publisher.source.worlds import replace_file
from tests.registry_folder import RegistryFolder

_EDITOR = """\
import sys
old, new, file = sys.argv[1:]
text = open(file).read()
if text.count(old) != 1:
    sys.exit(f"{text.count(old)} times {old} in {text}")
open(file, "w").write(text.replace(old, new))
"""


class Place(Protocol):
    """A registry that a hand edits."""

    settings: dict[str, Any]
    """The publisher's."""
    tells: bool
    """Whether it can carry Events."""

    async def edit(self, change: Change) -> None:
        """Make a change."""
        ...

    def told(self, document: str) -> list[str]:
        """Return what Events on a document warn of."""
        ...


class Folder:
    """A folder of manifests."""

    tells = False

    def __init__(self, registry: RegistryFolder) -> None:
        self._registry = registry
        self.settings: dict[str, Any] = {"registry_dir": registry.folder}

    async def edit(self, change: Change) -> None:
        """Save the file with another text."""
        file = self._registry.path(change.key[0])
        text = file.read_text()
        assert text.count(change.old) == 1, (change, text)
        replace_file(file, text.replace(change.old, change.new))

    def told(self, document: str) -> list[str]:
        """Return nothing."""
        del document
        return []


class Cluster:
    """ConfigMaps in a cluster."""

    tells = True

    def __init__(self, api: FakeKubernetes, kubeconfig: Path) -> None:
        self._api = api
        self._kubectl = Kubectl(kubeconfig, kubeconfig.parent)
        self.settings: dict[str, Any] = {"registry_dir": None, "kubeconfig": kubeconfig}

    async def edit(self, change: Change) -> None:
        """Type `kubectl edit`; the editor is a program that replaces the text."""
        editor = shlex.join([sys.executable, "-I", "-S", "-c", _EDITOR, change.old, change.new])
        printed = await self._kubectl("-n", "kube-system", "edit", "configmap", change.key[0], editor=editor)
        assert "edited" in printed

    def told(self, document: str) -> list[str]:
        """Return what the Events on the ConfigMap warn of, the way `kubectl describe` asks."""
        uid = self._api.document(document)["metadata"]["uid"]
        events = [event for event in self._api.events("kube-system") if event["involvedObject"].get("uid") == uid]
        return [event["message"] for event in events if event["type"] == "Warning"]
