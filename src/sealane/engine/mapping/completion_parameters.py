"""What a completion field may say of itself."""

from typing import Any

from sealane.engine.mapping.types import FieldType
from sealane.engine.mapping.values import BadValue
from sealane.errors import IllegalArgument

_ANALYZERS = ("default", "keyword", "simple", "standard", "stop", "whitespace")
_SHOWN = ("analyzer", "preserve_separators", "preserve_position_increments", "max_input_length")


def analyzer(name: str, kind: FieldType, value: Any) -> str:
    text = str(value)
    if text not in _ANALYZERS:
        raise BadValue(IllegalArgument(f"analyzer [{text}] has not been configured in mappings"))
    return text


def max_input_length(name: str, kind: FieldType, value: Any) -> int:
    try:
        length = int(value)
    except (TypeError, ValueError):
        raise BadValue(IllegalArgument(f'For input string: "{value}"')) from None
    if length < 1:
        raise BadValue(IllegalArgument(f"[max_input_length] must be > 0 but was [{length}]"))
    return length


def complete_completion(values: dict[str, Any], explicit: set[str]) -> None:
    """Fills in what such a field shows although it was not said."""
    values.setdefault("analyzer", "simple")
    values["doc_values"] = False
    explicit.update(_SHOWN)
