"""Hide what must never be logged or shown. Pure."""

import re

MASK = "********"
_CREDENTIALS = re.compile(r"//[^/@]+@")


def masked_url(url: str) -> str:
    """Return a URL with whatever stands before its host masked: a password, or a token in the place of a name."""
    return _CREDENTIALS.sub(f"//{MASK}@", url)
