"""What a refusal says: who may do it, how to check it, how to grant it."""

import pytest

from common.errors import AccessDenied
from common.settings.publisher import PublisherSettings
from publisher.source.cluster import Timing
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import Commands
from publisher.source.cluster.login import logged_in
from publisher.source.document import SERVICE_REGISTRY, STATE
from tests.fakes.kubernetes import FakeKubernetes


@pytest.mark.parametrize(
    ("name", "granted_by"),
    [(SERVICE_REGISTRY, "components/discover/access.yaml"), (STATE, "apply -f deploy/kubernetes/access.yaml`")],
)
async def test_a_write_that_is_denied_names_the_rights_that_it_takes(
    api: FakeKubernetes, settings: PublisherSettings, name: str, granted_by: str
) -> None:
    """An edit of the registry takes others than the publisher's own state: those would be granted in vain."""
    api.deny("patch", name)
    async with logged_in(settings) as client:
        config_maps = ConfigMaps(client, Commands.of(settings), Timing())
        with pytest.raises(
            AccessDenied, match=f"may not patch the ConfigMap {name} in kube-system; check with"
        ) as denied:
            await config_maps.patch(name, {"k": "v"}, "1")
    assert str(denied.value).endswith(granted_by)
