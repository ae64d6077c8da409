"""Replace a file as `LiveFile` does, in a process of its own: ``replacing PATH JOURNAL NEW_SIZE``.

With ``torn`` before the size: leave the file as a crash would that came when it had not grown yet, and recover.
"""

import errno
import sys
from pathlib import Path

from common import log
from common.settings.log import LogSettings
from subscriber.files import Journal, LiveFile


def main() -> None:
    """Write that many bytes; print what came of it."""
    log.set_up(LogSettings())
    path, journal, *torn, size = sys.argv[1:]
    file, new = LiveFile(Path(path), journal=Path(journal)), b"n" * int(size)
    old = file.read()
    assert old is not None
    try:
        if torn:
            Journal(Path(journal)).write(old, new)
            file.path.write_bytes(new[:9] + old[9:])
            file.recover()
        else:
            print(file.replace(new, expected=old))  # noqa: T201
    except OSError as e:
        print(errno.errorcode[e.errno or 0])  # noqa: T201


if __name__ == "__main__":
    main()
