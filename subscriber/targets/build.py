"""Make a node's targets from its settings."""

from collections.abc import Callable

from common.errors import ConfigError
from common.settings.load import Settings
from common.settings.subscriber import TargetName
from subscriber.policy import Policy
from subscriber.targets.target import Target


def build_targets(settings: Settings) -> list[Target]:
    """Return the targets of this node, each once, in the order that the settings name them.

    Raises:
        ConfigError: a target needs a setting that is missing.

    """
    return [_BUILDERS[name](settings) for name in dict.fromkeys(settings.subscriber.target_names)]


# Each target is imported only when it is used: a laptop with `hosts` needs neither httpx nor dnspython in memory.


def _hosts(settings: Settings) -> Target:
    from subscriber.targets.hosts import HostsTarget  # noqa: PLC0415

    return HostsTarget(settings.hosts, settings.subscriber.state_dir, Policy(settings.policy))


def _dnsmasq(settings: Settings) -> Target:
    from subscriber.targets.dnsmasq import DnsmasqTarget  # noqa: PLC0415

    return DnsmasqTarget(settings.dnsmasq, settings.subscriber.state_dir, Policy(settings.policy))


def _traefik(settings: Settings) -> Target:
    from subscriber.targets.traefik import TraefikTarget  # noqa: PLC0415

    if settings.subscriber.node is None:
        raise ConfigError("the target 'traefik' writes the routes of one node: set [subscriber] node to its name")
    return TraefikTarget(settings.traefik, settings.subscriber.node, Policy(settings.policy))


_BUILDERS: dict[TargetName, Callable[[Settings], Target]] = {
    TargetName.HOSTS: _hosts,
    TargetName.DNSMASQ: _dnsmasq,
    TargetName.TRAEFIK: _traefik,
}
