"""Ask the API server what the current user may do. Importing this takes seconds: it brings the Kubernetes client."""

from cli.doctor.control_plane.source_facts import Rights
from common.settings.publisher import PublisherSettings
from publisher.source.cluster.access import NEEDED, missing_rights
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import Commands
from publisher.source.cluster.login import logged_in
from publisher.source.cluster.timing import Timing


async def read_cluster_rights(settings: PublisherSettings) -> Rights:
    """Return which of the publisher's rights the user of the kubeconfig, or of the pod, has not.

    Raises:
        ConfigError: the kubeconfig is not usable.
        SourceUnavailable: the server does not answer.
        AccessDenied: it does not know the user.

    """
    commands = Commands.of(settings)
    async with logged_in(settings) as api:
        missing = await missing_rights(ConfigMaps(api, commands, Timing()))
    return Rights("the current user of the cluster", missing, len(NEEDED), commands.grant)
