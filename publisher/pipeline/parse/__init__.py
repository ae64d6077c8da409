"""Documents to registry, in every shape that is found in the field (`reference/configmaps.md`). Pure.

Reads what is there and says all that is wrong with it; what has been published before is never emptied because
something cannot be read (DESIGN 5). Derives no names or routes (`common`), and decides nothing about publishing.
"""

from publisher.pipeline.parse.parts import Part
from publisher.pipeline.parse.registry import Parsed, parse

__all__ = ["Parsed", "Part", "parse"]
