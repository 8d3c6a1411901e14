"""Two whole answers, and every place in which they differ. Types count: 1 is not 1.0, nor is it
"1"."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.rest import Answer

HTTP_STATUS = "(http status)"
WHOLE_BODY = "(body)"
ABSENT = "(absent)"

_SCORE_KEYS = frozenset({"_score", "max_score"})
# Five significant digits: scores are single-precision floats, added up in an order of the
# engine's own.
_SCORE_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` leads to the place, as in `hits.hits[2]._score`; `ABSENT` stands for nothing there."""

    path: str
    expected: Any
    actual: Any


def differences(expected: Answer, actual: Answer) -> list[Difference]:
    """Every difference between two normalised answers, in the order of the expected one."""
    found = []
    if expected.status != actual.status:
        found.append(Difference(HTTP_STATUS, expected.status, actual.status))
    found.extend(_between("", expected.body, actual.body))
    return found


def _between(path: str, expected: Any, actual: Any) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _between_objects(path, expected, actual)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _between_lists(path, expected, actual)
    elif type(expected) is not type(actual) or expected != actual:
        yield Difference(path or WHOLE_BODY, expected, actual)


def _between_objects(
    path: str, expected: dict[str, Any], actual: dict[str, Any]
) -> Iterator[Difference]:
    for key, value in expected.items():
        inner = f"{path}.{key}" if path else key
        if key not in actual:
            yield Difference(inner, value, ABSENT)
        elif key in _SCORE_KEYS and _is_close(value, actual[key]):
            continue
        elif key == "sort" and "_score" in expected and "_score" in actual:
            yield from _between_lists(inner, _marked(expected), _marked(actual))
        else:
            yield from _between(inner, value, actual[key])
    for key, value in actual.items():
        if key not in expected:
            yield Difference(f"{path}.{key}" if path else key, ABSENT, value)


def _between_lists(path: str, expected: list[Any], actual: list[Any]) -> Iterator[Difference]:
    for position in range(max(len(expected), len(actual))):
        yield from _between(
            f"{path}[{position}]",
            expected[position] if position < len(expected) else ABSENT,
            actual[position] if position < len(actual) else ABSENT,
        )


def _marked(hit: dict[str, Any]) -> list[Any]:
    """The sort values of a hit, with a word for those that repeat its score: that is compared
    already."""
    score = hit["_score"]
    return ["(score)" if value == score and score is not None else value for value in hit["sort"]]


def _is_close(expected: Any, actual: Any) -> bool:
    if not isinstance(expected, float) or not isinstance(actual, float):
        return False
    return abs(expected - actual) <= _SCORE_TOLERANCE * abs(expected)
