"""Parts of routecast that an installation may not have."""

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import ConfigError


@contextmanager
def publisher_extra() -> Iterator[None]:
    """Say plainly what to install when an import of the publisher's side fails.

    Raises:
        ConfigError: a library is missing.

    """
    try:
        yield
    except ModuleNotFoundError as e:
        raise ConfigError(f"{e.name} is not installed here; run: pip install '.[publisher]' in the checkout") from e
