"""Phrase suggestions of a search body."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    NUMBER,
    STRING,
    Cursor,
    Member,
    as_float,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.located import token
from sealane.query.suggest_options import (
    COMMON,
    SPELLING,
    boolean,
    number,
    read_options,
    required_field,
    spelling_of,
    text,
    whole,
)

_OWN = {
    "separator": ("separator", text),
    "real_word_error_likelihood": (
        "real_word_error_likelihood",
        number(1e-45, 1, "real_word_error_likelihood must be > 0.0"),
    ),
    "confidence": ("confidence", number(0, float("inf"), "confidence must be >= 0.0")),
    "max_errors": ("max_errors", number(1e-45, float("inf"), "max_error must be > 0.0")),
    "gram_size": ("gram_size", whole(1, "gramSize must be >= 1")),
    "force_unigrams": ("force_unigrams", boolean),
    "token_limit": ("token_limit", whole(1, "token_limit must be >= 1")),
}
_LAMBDAS = ("trigram_lambda", "bigram_lambda", "unigram_lambda")
_SMOOTHINGS = {"stupid_backoff": ("discount", 0.4), "laplace": ("alpha", 0.5)}


def read_phrase(
    cursor: Cursor, members: Mapping[str, Any], name: str, words: str | None
) -> dsl.Suggestion:
    """Raises ParsingError, ParseError and IllegalArgument."""
    found = read_options(cursor, "phrase", members, {**COMMON, **_OWN}, scalars_alone=True)
    generators: list[dsl.Generator] = []
    for key, value in members.items():
        if not isinstance(value, dict | list):
            continue
        if key == "direct_generator" and isinstance(value, list):
            generators += _generators(cursor, value)
        elif key == "highlight" and isinstance(value, dict):
            found["tags"] = _tags(cursor, value)
        elif key in ("smoothing", "smoothing_model") and isinstance(value, dict):
            found.update(_smoothing(cursor, value))
        elif key == "collate" and isinstance(value, dict):
            raise IllegalArgument("suggester[phrase] doesn't support [collate]: it needs scripts")
        else:
            cursor.value(members, key)
            raise cursor.error(f"suggester[phrase]  doesn't support array field [{key}]")
    required_field(found)
    chosen = tuple(generators)
    if not chosen:
        chosen = (dsl.Generator(field=found["field"], spelling=dsl.Spelling()),)
    return dsl.PhraseSuggestion(name=name, text=words, generators=chosen, **found)


def _generators(cursor: Cursor, value: list[Any]) -> list[dsl.Generator]:
    return [_generator(cursor, value, at) for at in range(len(value))]


def _generator(cursor: Cursor, items: list[Any], at: int) -> dsl.Generator:
    item = items[at]
    if not isinstance(item, dict):
        cursor.value(items, at)
        raise cursor.error("suggester[phrase] doesn't support field [direct_generator]")
    read = read_members(cursor, "direct_generator", item, _GENERATOR)
    if "field" not in read:
        raise IllegalArgument("Required [field]")
    found = {_NAMES.get(name, name): each for name, each in read.items()}
    spelling = spelling_of(found)
    return dsl.Generator(spelling=spelling, **found)


def _generator_size(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 1:
        raise IllegalArgument("Size must be positive")
    return value


def _max_edits(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if not 1 <= value <= 2:
        raise IllegalArgument(f"Illegal max_edits value {value}")
    return value


def _refused(_: Cursor, members: Mapping[str, Any], name: str) -> None:
    raise IllegalArgument(f"[{name}] by an analyzer is not supported by this version")


_NAMES = {name: into for name, (into, _) in SPELLING.items()}
_GENERATOR = {
    "field": Member(STRING, plain),
    "size": Member(NUMBER, _generator_size),
    "suggest_mode": Member(STRING, SPELLING["suggest_mode"][1]),
    "min_doc_freq": Member(NUMBER, as_float),
    "accuracy": Member(NUMBER, as_float),
    "sort": Member(STRING, SPELLING["sort"][1]),
    "string_distance": Member(STRING, SPELLING["string_distance"][1]),
    "max_inspections": Member(NUMBER, as_int),
    "max_edits": Member(NUMBER, _max_edits),
    "max_term_freq": Member(NUMBER, as_float),
    "prefix_length": Member(NUMBER, as_int),
    "min_word_length": Member(NUMBER, as_int),
    "pre_filter": Member(STRING, _refused),
    "post_filter": Member(STRING, _refused),
}


def _tags(cursor: Cursor, value: Mapping[str, Any]) -> tuple[str, str] | None:
    tags: dict[str, str] = {}
    for key, each in value.items():
        if key not in ("pre_tag", "post_tag") or each is None or isinstance(each, dict | list):
            cursor.value(value, key)
            raise cursor.error(f"suggester[phrase][highlight] doesn't support field [{key}]")
        tags[key] = text_of(each)
    if len(tags) == 1:
        raise IllegalArgument("Pre and post tag must both be null or both not be null.")
    return (tags["pre_tag"], tags["post_tag"]) if tags else None


def _smoothing(cursor: Cursor, value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, members in value.items():
        if not isinstance(members, dict):
            cursor.value(value, key)
            raise cursor.error(f"[smoothing] unknown token [{token(members)}] after [{key}]")
        if key in _SMOOTHINGS:
            name, default = _SMOOTHINGS[key]
            weight = as_float(cursor, members, name) if name in members else default
            found = {"smoothing": dsl.Smoothing(key), "weights": (weight,)}
        elif key == "linear":
            found = _linear(cursor, members)
        else:
            raise IllegalArgument(f"suggester[phrase] doesn't support object field [{key}]")
    return found


def _linear(cursor: Cursor, members: Mapping[str, Any]) -> dict[str, Any]:
    weights = dict.fromkeys(_LAMBDAS, 0.0)
    for member in members:
        if member not in weights:
            raise IllegalArgument(
                f"suggester[phrase][smoothing][linear] doesn't support field [{member}]"
            )
        weights[member] = as_float(cursor, members, member)
        if weights[member] < 0:
            raise IllegalArgument(f"{member} must be positive")
    if abs(sum(weights.values()) - 1.0) > 0.001:
        raise IllegalArgument("linear smoothing lambdas must sum to 1")
    return {"smoothing": dsl.Smoothing.LINEAR_INTERPOLATION, "weights": tuple(weights.values())}
