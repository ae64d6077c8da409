"""Fail unless every branch of the pure modules was run by the tests: the middle of routecast has no excuse."""

import sys

import coverage

PURE = (
    "cli/doctor/bus/access.py",
    "cli/doctor/bus/deviations.py",
    "cli/doctor/bus/judge.py",
    "cli/doctor/check.py",
    "cli/doctor/control_plane/fleet.py",
    "cli/doctor/control_plane/judge.py",
    "cli/doctor/control_plane/publisher.py",
    "cli/doctor/control_plane/snapshot.py",
    "cli/doctor/control_plane/source.py",
    "cli/doctor/control_plane/streams.py",
    "cli/doctor/node/judge.py",
    "cli/doctor/node/names.py",
    "cli/doctor/node/service.py",
    "cli/doctor/node/settings.py",
    "cli/doctor/node/standing.py",
    "cli/doctor/node/targets.py",
    "cli/doctor/node/traefik.py",
    "cli/doctor/sides.py",
    "cli/nodes/report.py",
    "cli/push/tally.py",
    "cli/show/placing.py",
    "cli/stream/changes.py",
    "cli/text.py",
    "cli/trust/believers.py",
    "cli/trust/cluster.py",
    "cli/values.py",
    "common/codec.py",
    "common/masking.py",
    "common/names.py",
    "common/placement.py",
    "common/routes.py",
    "common/snapshot.py",
    "common/sync_state.py",
    "common/transport.py",
    "common/values.py",
    "publisher/events.py",
    "publisher/pipeline/build.py",
    "publisher/pipeline/parse/*.py",
    "publisher/pipeline/ready.py",
    "publisher/pipeline/settle.py",
    "publisher/pipeline/store.py",
    "publisher/registry/beginning.py",
    "publisher/registry/difference.py",
    "publisher/registry/discover.py",
    "publisher/registry/domains.py",
    "publisher/registry/draft.py",
    "publisher/registry/faults.py",
    "publisher/registry/invitation.py",
    "publisher/registry/joining.py",
    "publisher/registry/layout.py",
    "publisher/registry/lookup.py",
    "publisher/registry/manifest_check.py",
    "publisher/registry/manifest_nodes.py",
    "publisher/registry/node_keys.py",
    "publisher/registry/nodes.py",
    "publisher/registry/plan.py",
    "publisher/registry/record.py",
    "publisher/registry/routes.py",
    "publisher/registry/services.py",
    "publisher/registry/splice.py",
    "publisher/registry/takeover/*.py",
    "publisher/registry/vps.py",
    "publisher/registry/wish.py",
    "publisher/registry/yaml_text.py",
    "publisher/signing.py",
    "publisher/trust/admission.py",
    "publisher/trust/claims.py",
    "publisher/trust/permissions.py",
    "publisher/trust/record.py",
    "publisher/trust/server.py",
    "subscriber/leftovers.py",
    "subscriber/policy.py",
    "subscriber/targets/dnsmasq_files.py",
    "subscriber/targets/hosts_block.py",
    "subscriber/targets/hosts_lines.py",
    "subscriber/targets/target.py",
    "subscriber/targets/traefik_check.py",
    "subscriber/targets/traefik_config.py",
    "subscriber/verify.py",
)


def main() -> int:
    """Print what is not covered; return the exit code."""
    measured = coverage.Coverage()
    measured.load()
    covered = measured.report(include=list(PURE), show_missing=True)
    if covered < 100:
        print("pure modules must be covered whole, branches included", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
