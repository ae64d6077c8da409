"""Hide what must never be logged or shown. Pure."""

import re

MASK = "********"
_CREDENTIALS = re.compile(r"//[^/@]+@")
_SEED = re.compile(r"\bS[ACNOUX][A-Z2-7]{56}\b")
"""The seed of a NATS key; that of a signing key looks like any public key, and is read from its file alone."""
_TOKEN = re.compile(r"\brcj1\.[A-Za-z0-9_=-]+")


def masked_url(url: str) -> str:
    """Return a URL with whatever stands before its host masked: a password, or a token in the place of a name."""
    return _CREDENTIALS.sub(f"//{MASK}@", url)


def masked(text: str) -> str:
    """Return a text in which every URL's login, every NATS seed and every join token is masked."""
    return _TOKEN.sub(MASK, _SEED.sub(MASK, masked_url(text)))
