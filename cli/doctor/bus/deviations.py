"""Compare a stream's or a consumer's settings with those that the publisher gives it. Pure."""

from collections.abc import Mapping

Config = Mapping[str, object]

STREAM_DEFAULTS: Config = {
    "subjects": None,
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "max_msgs": -1,
    "max_msgs_per_subject": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msg_size": -1,
    "allow_direct": False,
    "compression": "none",
    "num_replicas": 1,
    "no_ack": False,
    "sealed": False,
    "deny_purge": False,
    "deny_delete": False,
    "mirror": None,
    "sources": None,
    "subject_transform": None,
}
"""The settings of a stream that matter, and what the server makes of those that nobody gives."""

CONSUMER_DEFAULTS: Config = {
    "filter_subject": None,
    "filter_subjects": None,
    "deliver_policy": "all",
    "deliver_subject": None,
    "ack_policy": "explicit",
    "ack_wait": 30,
    "backoff": None,
    "max_deliver": -1,
    "max_ack_pending": 1000,
    "headers_only": False,
    "inactive_threshold": 0,
}
"""The same of a durable consumer."""


def deviations(current: Config, wanted: Config, defaults: Config) -> tuple[str, ...]:
    """Return in which of the settings in `defaults` `current` is not as `wanted`, in words.

    None and a missing one stand for the default, on either side.
    """
    found = []
    for key, default in defaults.items():
        has, should = _value(current, key, default), _value(wanted, key, default)
        if has != should:
            found.append(f"{key} is {_text(has)} instead of {_text(should)}")
    return tuple(found)


def _value(config: Config, key: str, default: object) -> object:
    value = config.get(key)
    return default if value is None else value


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "not set" if value is None else str(value)
