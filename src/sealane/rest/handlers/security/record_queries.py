"""Queries over users and keys: those of the query DSL that the reference allows there, asked of plain records.

A record is a mapping from field to its value, or a list of them. What holds of any value of a field holds of the field.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sealane.errors import ApiError, IllegalArgument, ParsingError
from sealane.security.rules import names
from sealane.settings import parse_time

Record = Mapping[str, Any]
Holds = Callable[[Record], bool]
DEPTH_MAX: Final = 30
CLAUSES_MAX: Final = 1_024
"""Of one query: each is asked of each record."""
_METADATA: Final = "metadata"
_NOW: Final = re.compile(r"now(?:([+-])(\d+[a-zA-Z]+))?")


class Queries:
    """Over records whose fields are `fields`; where `metadata` is one, `metadata.<path>` are too."""

    def __init__(self, fields: Collection[str], now_ms: int) -> None:
        self._fields = fields
        self._now_ms = now_ms
        self._clauses = 0

    def read(self, query: Any, depth: int = 0) -> Holds:
        """Raises ParsingError, IllegalArgument."""
        if depth > DEPTH_MAX:
            raise IllegalArgument(f"a query may nest at most [{DEPTH_MAX}] deep here")
        self._clauses += 1
        if self._clauses > CLAUSES_MAX:
            raise IllegalArgument(f"a query may have at most [{CLAUSES_MAX}] clauses here")
        if not isinstance(query, dict) or len(query) != 1:
            raise ParsingError("[query] must be an object with the name of one query")
        ((kind, body),) = query.items()
        if not isinstance(body, dict):
            raise ParsingError(f"[{kind}] query malformed, no start_object after query name")
        match kind:
            case "match_all":
                return lambda record: True
            case "match_none":
                return lambda record: False
            case "bool":
                return self._bool(body, depth)
            case "ids":
                wanted = frozenset(map(str, _listed(body.get("values", []))))
                return lambda record: record["_id"] in wanted
            case "exists":
                field = self.field(body.get("field"))
                return lambda record: bool(self._values(record, field))
            case "term" | "match" | "prefix" | "wildcard" | "range" | "terms":
                return self._on_field(kind, body)
        raise IllegalArgument(f"Query type [{kind}] is not currently supported in this context")

    def field(self, name: Any) -> str:
        """Raises IllegalArgument for a field that may not be asked about."""
        if isinstance(name, str):
            known = name.split(".", 1)[0] if name.startswith(f"{_METADATA}.") else name
            if known in self._fields:
                return name
        raise IllegalArgument(f"Field [{name}] is not allowed for querying or aggregation")

    def _bool(self, body: Mapping[str, Any], depth: int) -> Holds:
        clauses = {
            kind: [self.read(each, depth + 1) for each in _listed(body.get(kind, []))]
            for kind in ("must", "filter", "should", "must_not")
        }
        needed = [*clauses["must"], *clauses["filter"]]
        least = body.get("minimum_should_match", 0 if needed or not clauses["should"] else 1)
        if not isinstance(least, int):
            raise IllegalArgument("[minimum_should_match] must be a number here")

        def holds(record: Record) -> bool:
            return (
                all(each(record) for each in needed)
                and not any(each(record) for each in clauses["must_not"])
                and sum(each(record) for each in clauses["should"]) >= least
            )

        return holds

    def _on_field(self, kind: str, body: Mapping[str, Any]) -> Holds:
        given = {name: value for name, value in body.items() if name != "boost"}
        if len(given) != 1:
            raise ParsingError(f"[{kind}] query doesn't support multiple fields")
        ((name, value),) = given.items()
        field = self.field(name)
        if kind == "range":
            return self._range(field, value)
        if kind == "terms":
            wanted = frozenset(map(_text, _listed(value)))
            return lambda record: not wanted.isdisjoint(self._texts(record, field))
        if isinstance(value, dict):
            value = value.get("value", value.get("query", value.get("wildcard")))
        text = _text(value)
        if kind == "prefix":
            return lambda record: any(each.startswith(text) for each in self._texts(record, field))
        if kind == "wildcard":
            fits = names.matcher((text,) if not names.is_regexp(text) else ())
            return lambda record: any(map(fits, self._texts(record, field)))
        return lambda record: text in self._texts(record, field)

    def _range(self, field: str, bounds: Any) -> Holds:
        if not isinstance(bounds, dict):
            raise ParsingError("[range] query malformed, no start_object after field name")
        checks: list[Callable[[int], bool]] = []
        for name, given in bounds.items():
            if name in ("format", "boost", "time_zone"):
                continue
            compare = _COMPARED.get(name)
            if compare is None:
                raise ParsingError(f"[range] query does not support [{name}]")
            if given is not None:
                checks.append(_bound(compare, self._time(given)))

        def holds(record: Record) -> bool:
            found = [each for each in self._values(record, field) if isinstance(each, int)]
            return any(all(check(each) for check in checks) for each in found)

        return holds

    def _time(self, given: Any) -> int:
        if isinstance(given, int):
            return given
        found = _NOW.fullmatch(str(given))
        if found is not None:
            if found[2] is None:
                return self._now_ms
            offset = parse_time(found[2], "range").ms
            return self._now_ms + (offset if found[1] == "+" else -offset)
        try:
            return int(given)
        except ValueError:
            raise IllegalArgument(
                f"failed to parse date field [{given}]: give milliseconds since 1970, or [now] with a time"
            ) from None

    def _texts(self, record: Record, field: str) -> list[str]:
        return [_text(each) for each in self._values(record, field)]

    def _values(self, record: Record, field: str) -> list[Any]:
        if _is_metadata(field):
            path = field.split(".")[1:]
            return list(_leaves(record.get(_METADATA), path))
        value = record.get(field)
        return [each for each in _listed(value) if each is not None]

    def sorter(self, sort: Any) -> list[tuple[str, bool]]:
        """Fields with whether they go down. Raises IllegalArgument, ParsingError."""
        found = []
        for each in _listed(sort):
            if isinstance(each, str):
                found.append((each if each == "_doc" else self.field(each), False))
                continue
            if not isinstance(each, dict) or len(each) != 1:
                raise ParsingError("[sort] must hold names of fields, or objects with one each")
            ((name, options),) = each.items()
            if not isinstance(options, dict):
                raise ParsingError("[field_sort] Expected START_OBJECT but was: VALUE_STRING")
            found.append((self.field(name), options.get("order", "asc") == "desc"))
        return found

    def sort(
        self, records: Iterable[Record], by: Sequence[tuple[str, bool]]
    ) -> list[tuple[Record, list[Any]]]:
        """Records with what they were sorted by; one without a value comes last."""
        found = list(records)
        for field, down in reversed(by):
            if field == "_doc":
                continue
            present = [each for each in found if self._values(each, field)]
            absent = [each for each in found if not self._values(each, field)]
            present.sort(key=lambda each: self._key(each, field), reverse=down)
            found = present + absent
        return [(each, [self._shown(each, field) for field, _ in by]) for each in found]

    def _key(self, record: Record, field: str) -> Any:
        value = self._values(record, field)[0]
        # Metadata is whatever somebody has put there: as in the reference it is all text.
        return value if isinstance(value, int) and not _is_metadata(field) else _text(value)

    def _shown(self, record: Record, field: str) -> Any:
        values = self._values(record, field)
        return values[0] if values else None


_COMPARED: Final[dict[str, Callable[[int, int], bool]]] = {
    "gte": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "lte": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
    "from": lambda value, bound: value >= bound,
    "to": lambda value, bound: value <= bound,
}


def _bound(compare: Callable[[int, int], bool], bound: int) -> Callable[[int], bool]:
    return lambda value: compare(value, bound)


def _leaves(value: Any, path: Sequence[str]) -> Iterable[Any]:
    """The values below a path of metadata; a name may hold dots."""
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            parts = name.split(".")
            if not path:
                yield from _leaves(inner, path)
            elif list(path[: len(parts)]) == parts:
                yield from _leaves(inner, path[len(parts) :])
    elif not path and value is not None:
        yield value


def _is_metadata(field: str) -> bool:
    return field == _METADATA or field.startswith(f"{_METADATA}.")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def unsupported(what: str) -> ApiError:
    return IllegalArgument(f"[{what}] is not supported here by this version")
