"""The publisher's own state as JSON text, and the rule that a mark is only ever raised. Keeps nothing itself."""

from pydantic import ValidationError

from common import log
from publisher.source.source import PublisherState

_log = log.get(__name__)


def encode_state(state: PublisherState) -> str:
    """Return the text that is kept."""
    return state.model_dump_json()


def decode_state(text: str | bytes, where: str) -> PublisherState | None:
    """Return the state of a kept text; None, and a line in the log, when it is broken."""
    try:
        return PublisherState.model_validate_json(text)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        _log.error("the kept state is broken, and counts as none", where=where, error=fault["msg"])
        return None


def raises(state: PublisherState, kept: PublisherState | None) -> bool:
    """Tell whether `state` has a higher mark than what is kept."""
    return kept is None or state.mark.order > kept.mark.order
