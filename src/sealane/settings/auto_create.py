"""`action.auto_create_index`: which names a write may make an index of."""

from dataclasses import dataclass

from sealane.errors import ApiError, IllegalArgument
from sealane.model.patterns import matches
from sealane.settings.parse import as_bool, as_list
from sealane.settings.text import Value, value_text


@dataclass(frozen=True, slots=True)
class AutoCreate:
    """`rules` in order: a pattern and whether it allows. No rules: `enabled` decides alone."""

    text: str
    enabled: bool
    rules: tuple[tuple[str, bool], ...] = ()

    def refusal(self, index: str) -> str | None:
        """Why `index` must not be made, as the end of `no such index [x] ...`; None where it
        may.
        """
        if not self.enabled:
            return "and [action.auto_create_index] is [false]"
        if not self.rules:
            return None
        for pattern, allowed in self.rules:
            if matches(pattern, index):
                if allowed:
                    return None
                return (
                    f"and [action.auto_create_index] contains [-{pattern}] "
                    "which forbids automatic creation of the index"
                )
        return f"and [action.auto_create_index] ([{self.text}]) doesn't match"


def as_auto_create(value: Value, key: str) -> AutoCreate:
    """`true`, `false`, or a list of patterns with `+` and `-` before them."""
    text = value_text(value) if isinstance(value, str) else ",".join(value)
    try:
        return AutoCreate(text, as_bool(text, key))
    except ApiError as not_boolean:
        try:
            return AutoCreate(text, True, tuple(_rule(item, key) for item in as_list(value, key)))
        except ApiError as error:
            error.suppressed.append(not_boolean)
            raise


def _rule(item: str, key: str) -> tuple[str, bool]:
    if not item.strip():
        raise IllegalArgument(
            f"Can't parse [{item}] for setting [{key}] must be either [true, false, or a comma "
            "separated list of index patterns]"
        )
    if item[0] not in "+-":
        return item, True
    if len(item) == 1:
        raise IllegalArgument(
            f"Can't parse [{item}] for setting [{key}] must contain an index name after [{item}]"
        )
    return item[1:], item[0] == "+"
