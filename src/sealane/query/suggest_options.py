"""The members of term and phrase suggestions: which there are, and what they may be."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.cursor import Cursor, as_bool, as_float, as_int, text_of

Read = Callable[[Cursor, Mapping[str, Any], str], Any]


def text(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    return text_of(members[name])


def boolean(cursor: Cursor, members: Mapping[str, Any], name: str) -> bool:
    return as_bool(cursor, members, name)


def whole(least: int, reason: str) -> Read:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = as_int(cursor, members, name)
        if value < least:
            raise IllegalArgument(reason)
        return value

    return read


def number(least: float, most: float, reason: str) -> Read:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        value = as_float(cursor, members, name)
        if not least <= value <= most:
            raise IllegalArgument(reason)
        return value

    return read


def _frequency(what: str) -> Read:
    """A share of the documents, or from 1 up a number of them."""

    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        value = as_float(cursor, members, name)
        if value < 0:
            raise IllegalArgument(f"{what} must be positive")
        if value > 1 and value != int(value):
            raise IllegalArgument(f"if {what} is greater than 1, it must not be a fraction")
        return value

    return read


def _choice(kind: type[Any], java: str) -> Read:
    def read(_: Cursor, members: Mapping[str, Any], name: str) -> Any:
        value = text_of(members[name])
        try:
            return kind(value.lower())
        except ValueError:
            raise IllegalArgument(
                f"No enum constant org.elasticsearch.search.suggest.{java}.{value.upper()}"
            ) from None

    return read


def _distance(_: Cursor, members: Mapping[str, Any], name: str) -> dsl.StringDistance:
    value = text_of(members[name])
    try:
        return dsl.StringDistance(value.lower())
    except ValueError:
        raise IllegalArgument(f"Illegal distance option {value}") from None


def _edits(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if not 1 <= value <= 2:
        raise IllegalArgument("maxEdits must be between 1 and 2")
    return value


COMMON: dict[str, tuple[str, Read]] = {
    "field": ("field", text),
    "analyzer": ("analyzer", text),
    "size": ("size", whole(1, "size must be positive")),
    "shard_size": ("shard_size", as_int),
}
"""Members of every suggestion, with the names of what they are read into."""

SPELLING: dict[str, tuple[str, Read]] = {
    "suggest_mode": ("mode", _choice(dsl.SuggestMode, "term.TermSuggestionBuilder.SuggestMode")),
    "accuracy": ("accuracy", number(0, 1, "accuracy must be between 0 and 1")),
    "sort": ("order", _choice(dsl.SuggestOrder, "SortBy")),
    "string_distance": ("distance", _distance),
    "max_edits": ("max_edits", _edits),
    "max_inspections": ("max_inspections", whole(0, "maxInspections must be positive")),
    "max_term_freq": ("max_term_freq", _frequency("maxTermFreq")),
    "prefix_length": ("prefix_length", whole(0, "prefixLength must be positive")),
    "min_word_length": (
        "min_word_length",
        whole(1, "minWordLength must be greater or equal to 1"),
    ),
    "min_doc_freq": ("min_doc_freq", _frequency("minDocFreq")),
}
"""Members that say how near words are found."""


def read_options(
    cursor: Cursor,
    kind: str,
    members: Mapping[str, Any],
    known: Mapping[str, tuple[str, Read]],
    *,
    scalars_alone: bool = False,
) -> dict[str, Any]:
    """Scalar members by the names of what they are read into; with `scalars_alone` others are left to the caller.

    Raises ParsingError for a member that is not known.
    """
    found: dict[str, Any] = {}
    for name, value in members.items():
        if scalars_alone and isinstance(value, dict | list):
            continue
        if value is None or isinstance(value, dict | list):
            cursor.value(members, name)
            raise cursor.error(f"suggester[{kind}] parsing failed on [{name}]")
        if name not in known:
            cursor.value(members, name)
            raise cursor.error(f"suggester[{kind}] doesn't support field [{name}]")
        into, read = known[name]
        found[into] = read(cursor, members, name)
    return found


def required_field(found: Mapping[str, Any]) -> None:
    if "field" not in found:
        raise ParseError("the required field option [field] is missing")
    if not found["field"]:
        raise IllegalArgument("suggestion field name is empty")


def spelling_of(found: dict[str, Any]) -> dsl.Spelling:
    """Takes what belongs to the spelling out of `found`."""
    names = [into for into, _ in SPELLING.values() if into in found]
    return dsl.Spelling(**{name: found.pop(name) for name in names})
