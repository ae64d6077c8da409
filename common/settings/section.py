"""What all sections share."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the settings file: unknown names in it are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
