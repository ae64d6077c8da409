"""Replace a file as `LiveFile` does, in a process of its own: ``replacing PATH JOURNAL NEW_SIZE``."""

import errno
import sys
from pathlib import Path

from subscriber.files import LiveFile


def main() -> None:
    """Write that many bytes; print what came of it."""
    file = LiveFile(Path(sys.argv[1]), journal=Path(sys.argv[2]))
    try:
        print(file.replace(b"n" * int(sys.argv[3]), expected=file.read()))  # noqa: T201
    except OSError as e:
        print(errno.errorcode[e.errno or 0])  # noqa: T201


if __name__ == "__main__":
    main()
