"""Images that cannot be pulled, put together from this machine's files: not the real ones, but under their names."""

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.systemd import ROOT
from tests.nats import nats_server_binary

_LEFT_OUT = {"test", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages", "dist-packages", "__pycache__"}
_SYSTEM_LIBRARIES = ("libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6")
"""What wheels may expect of any system (PEP 600)."""


class Layer:
    """A tar archive that grows: files of this machine at their own places, or elsewhere."""

    def __init__(self) -> None:
        self._stream = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._stream, mode="w")  # noqa: SIM115 - closed by `blocks`
        self._there: set[str] = set()

    def add(self, source: Path, target: str | None = None) -> None:
        """Add a file, or a folder with everything below it; a link is followed."""
        target = target or str(source)
        if source.is_dir():
            for entry in sorted(source.iterdir()):
                if entry.name not in _LEFT_OUT:
                    self.add(entry, f"{target}/{entry.name}")
            return
        content = source.read_bytes()
        self.write(target, content, 0o755 if source.stat().st_mode & 0o100 else 0o644)

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file that this machine does not have."""
        entry = tarfile.TarInfo(target.lstrip("/"))
        entry.size, entry.mode = len(content), mode
        self._put(entry, content)

    def link(self, target: str, to: str) -> None:
        """Add a symbolic link."""
        entry = tarfile.TarInfo(target.lstrip("/"))
        entry.type, entry.linkname = tarfile.SYMTYPE, to
        self._put(entry)

    def folder(self, target: str, mode: int = 0o755) -> None:
        """Add an empty folder."""
        entry = tarfile.TarInfo(target.lstrip("/"))
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._put(entry)

    def programs(self, *programs: Path) -> None:
        """Add programs or shared objects with all the libraries that they load."""
        for program in programs:
            self.add(program)
        for library in libraries(*programs):
            self.add(library)

    def blocks(self) -> Iterator[bytes]:
        """Yield the whole archive; nothing can be added afterwards."""
        self._tar.close()
        yield self._stream.getvalue()

    def _put(self, entry: tarfile.TarInfo, content: bytes | None = None) -> None:
        if entry.name not in self._there:
            self._there.add(entry.name)
            self._tar.addfile(entry, io.BytesIO(content) if content is not None else None)


def libraries(*programs: Path) -> list[Path]:
    """Return what the dynamic linker loads for `programs`, itself included."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    return sorted({Path(found) for found in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)})


def nats_image(busybox: str) -> Iterator[bytes]:
    """Yield an image like nats:…-alpine: the server of the tests, and busybox for the shell and wget."""
    layer = Layer()
    layer.add(Path(nats_server_binary()), "/usr/local/bin/nats-server")
    layer.programs(Path(busybox))
    for name in ("sh", "wget"):
        layer.link(f"/bin/{name}", busybox)
    layer.folder("/tmp", 0o1777)
    return layer.blocks()


def python_image(wheels: Path) -> Iterator[bytes]:
    """Yield an image like python:…-slim: this machine's Python, a shell, and `wheels` as all that pip can reach."""
    layer = Layer()
    python = Path(sys._base_executable).resolve()  # type: ignore[attr-defined] # what made the virtual environment  # the one that made the virtual environment
    library = Path(sysconfig.get_path("stdlib"))
    layer.add(library)
    layer.programs(python, Path("/bin/sh").resolve(), *sorted((library / "lib-dynload").glob("*.so")))
    for name in _SYSTEM_LIBRARIES:
        layer.programs(*Path("/lib").glob(f"*-linux-gnu/{name}"), *Path("/usr/lib").glob(f"*-linux-gnu/{name}"))
    layer.add(Path(sysconfig.get_path("purelib")) / "pip", f"{library}/pip")
    layer.link("/bin/sh", str(Path("/bin/sh").resolve()))
    layer.link("/usr/local/bin/python3", str(python))
    layer.add(wheels, "/wheels")
    layer.write("/etc/pip.conf", b"[global]\nno-index = true\nfind-links = /wheels\n")
    layer.write("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    layer.folder("/tmp", 0o1777)
    return layer.blocks()


def download_wheels(folder: Path) -> str | None:
    """Fetch what an installation takes, as pip is configured here; return why it cannot be had, None when it is there.

    What an index has as source only becomes a wheel here, where there is a network.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["publisher"],
    ]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, f"--constraint={ROOT / 'constraints.txt'}", f"--wheel-dir={folder}", *needed],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return None if done.returncode == 0 else f"the wheels cannot be downloaded: {done.stderr.strip()[-500:]}"
