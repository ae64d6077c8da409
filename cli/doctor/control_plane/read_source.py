"""Look at the registry's source: documents, problems, rights.

The publisher's side is imported only here, and beside the event loop: with a cluster that takes seconds.
"""

import asyncio
import os
import shlex
from functools import partial
from pathlib import Path

from cli.doctor.attempt import LIMIT_S, Fault, attempt
from cli.doctor.beside import beside
from cli.doctor.control_plane.source_facts import Read, Rights, SourceSeen
from cli.extras import publisher_extra
from cli.who import who
from common.settings.publisher import PublisherSettings

UNNAMED_LIMIT_S = 6.0
"""How long a cluster may take that no setting names: a stale kubeconfig must not hold up a laptop's checks."""
IMPORT_S = 15.0
"""How much longer the Kubernetes client may take to be imported, on a small machine."""


async def read_source(settings: PublisherSettings, *, cluster: bool, options: str) -> SourceSeen:
    """Return what is at the source; never raises. `cluster` says that it was asked for by an option."""
    given = (settings.registry_dir, settings.kubeconfig, settings.context)
    named = cluster or any(value is not None for value in given)
    limit_s = LIMIT_S if named else UNNAMED_LIMIT_S
    found = await attempt("the registry", beside(partial(_read_all, settings, limit_s)), limit_s + IMPORT_S)
    read, rights = (found, found) if isinstance(found, Fault) else found
    return SourceSeen(
        where=_where(settings),
        named=named,
        options=options,
        in_cluster=settings.registry_dir is None,
        look=_look(settings),
        read=read,
        rights=rights,
    )


def options_of(registry_dir: Path | None, *, cluster: bool) -> str:
    """Return what was given on the command line, for the commands that we name to be given it too."""
    if cluster:
        return " --cluster"
    return "" if registry_dir is None else f" --registry-dir {shlex.quote(str(registry_dir))}"


def _where(settings: PublisherSettings) -> str:
    if settings.registry_dir is not None:
        return f"the folder {settings.registry_dir}"
    return f"the cluster, namespace {settings.namespace}"


def _look(settings: PublisherSettings) -> str:
    if settings.registry_dir is not None:
        return shlex.join(["ls", "-ld", str(settings.registry_dir)])
    words = ["kubectl", "get", "--raw", "/readyz"]
    words += ["--kubeconfig", str(settings.kubeconfig)] if settings.kubeconfig is not None else []
    words += ["--context", settings.context] if settings.context is not None else []
    return shlex.join(words)


def _read_all(settings: PublisherSettings, limit_s: float) -> tuple[Read | Fault, Rights | Fault]:
    """Return documents and rights, read at once in a loop of their own. All is imported before: that blocks."""
    with publisher_extra():
        from cli.doctor.control_plane.documents import read_documents  # noqa: PLC0415 - the publisher's side, only here
    if settings.registry_dir is not None:
        read = asyncio.run(attempt("the registry", read_documents(settings), limit_s))
        return read, _folder_rights(settings.registry_dir)
    with publisher_extra():
        from cli.doctor.control_plane.cluster_rights import read_cluster_rights  # noqa: PLC0415 - see above

    async def read_both() -> tuple[Read | Fault, Rights | Fault]:
        return await asyncio.gather(
            attempt("the registry", read_documents(settings), limit_s),
            attempt("the rights", read_cluster_rights(settings), limit_s),
        )

    return asyncio.run(read_both())


def _folder_rights(folder: Path) -> Rights:
    """Return the rights to read the folder, and to write there what the publisher keeps."""
    wanted = {"read": os.R_OK | os.X_OK, "write": os.W_OK}
    missing = [f"{what} {folder}" for what, mode in wanted.items() if not os.access(folder, mode)]
    return Rights(who(), missing, len(wanted), shlex.join(["ls", "-ld", str(folder)]))
