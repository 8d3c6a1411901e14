"""`fields` and `docvalue_fields` of hits: values in the form of their mapped type, read out of the source.

A document's columns hold what its source says, so one reading serves both: `fields` shows it as written, doc values as
columns keep it, sorted and without what is too long for a keyword.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.document_cache import Document
from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.limited import shows
from sealane.engine.embedded.search.more_field_values import is_special, special_values
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.mapping import Field, FieldType, Mapping
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT, check_format, format_date, parse_date
from sealane.model.patterns import matches, pattern
from sealane.reduce.number_format import decimal_format

_ID, _INDEX, _ROUTING, _SEQ_NO, _VERSION = "_id", "_index", "_routing", "_seq_no", "_version"
_INTERNAL = (_SEQ_NO, _VERSION, "_source", "_doc_count", "_field_names", "_nested_path", "_feature")


@dataclass(frozen=True, slots=True)
class _Wanted:
    mapped: Field
    format: str | None
    from_column: bool


class FieldReader:
    """What one request asks for, resolved against one view."""

    def __init__(self, body: dsl.SearchBody, scope: Scope) -> None:
        """Raises IllegalArgument for a field that cannot be read so, or a format that it cannot have."""
        self._scope = scope
        self._metadata: list[str] = []
        self._wanted: list[_Wanted] = []
        self._unmapped: tuple[str, ...] = ()
        self._copied = _copied_from(scope.state.view.mapping)
        self._nested = scope.state.view.mapping.nested
        for each in body.docvalue_fields:
            self._add_column(each)
        for each in body.fields:
            try:
                self._add_field(each)
            except ApiError as error:
                reason = f"error fetching [{each.field}]: {error.reason}"
                raise IllegalArgument(reason, caused_by=error) from None

    def _add_column(self, asked: dsl.FetchField) -> None:
        if asked.field == _ID:
            raise IllegalArgument(
                "Fielddata access on the _id field is disallowed, you can re-enable it by "
                "updating the dynamic cluster setting: indices.id_field_data.enabled"
            )
        if asked.field in (_SEQ_NO, _VERSION, _INDEX):
            self._metadata.append(asked.field)
            return
        for mapped in self._matching(asked.field):
            check_fielddata(mapped, self._scope.index_name)
            if asked.format is not None:
                _check_column_format(mapped, asked.format)
            if not self._shows_column(mapped):
                continue
            self._wanted.append(_Wanted(mapped, asked.format, True))

    def _add_field(self, asked: dsl.FetchField) -> None:
        if asked.field in _INTERNAL:
            raise IllegalArgument(f"Cannot fetch values for internal field [{asked.field}].")
        if asked.field in (_ID, _INDEX, _ROUTING):
            self._metadata.append(asked.field)
            return
        for mapped in self._matching(asked.field):
            if asked.format is not None:
                if not mapped.type.is_date:
                    raise IllegalArgument(
                        f"Field [{mapped.path}] of type [{mapped.type.value}] doesn't support "
                        "formats."
                    )
                check_format(asked.format)
            self._wanted.append(_Wanted(mapped, asked.format, False))
        if asked.include_unmapped:
            self._unmapped += (asked.field,)

    def _matching(self, name: str) -> list[Field]:
        if "*" not in name:
            return self._named(name)
        wanted = pattern(name)
        paths = [each for each in self._scope.state.view.mapping.fields if wanted.fullmatch(each)]
        return [field for path in paths for field in self._named(path)]

    def _shows_column(self, mapped: Field) -> bool:
        """Whether the column of a field may be read. An alias is as visible as what it stands for."""
        view = self._scope.state.view
        if view.limits is None:
            return True
        named = view.mapping.get(mapped.path)
        return shows(view, mapped.path if named is None else named.target or named.path)

    def _named(self, name: str) -> list[Field]:
        """The field of a name, which is shown under it also where it is an alias."""
        mapped = self._scope.mapped(name)
        if mapped is None:
            return []
        return [mapped if mapped.path == name else replace(mapped, path=name)]

    def read(
        self, stored: Document, whole: Document | None = None
    ) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Values by field, and those that were too long or malformed for theirs.

        A column that may be seen has its values of the `whole` document, also those of a field that is hidden:
        of one with fields of its own, or that is copied to it.
        """
        found: dict[str, list[Any]] = {
            name: value
            for name in self._metadata
            if (value := _of_metadata(name, stored, self._scope.index_name)) is not None
        }
        ignored: dict[str, list[Any]] = {}
        if not self._wanted and not self._unmapped:
            return found, ignored
        source = orjson.loads(stored.source)
        columns = source if whole is None or whole is stored else orjson.loads(whole.source)
        inside: list[_Wanted] = []
        for wanted in self._wanted:
            if self._nested and self._is_inside(wanted):
                if not wanted.from_column:
                    inside.append(wanted)
                continue
            shown, refused = self._shown(columns if wanted.from_column else source, wanted)
            if shown:
                found[wanted.mapped.path] = shown
            if refused and not wanted.from_column:
                ignored[wanted.mapped.path] = refused
        if inside:
            found.update(_of_objects(source, "", inside, self._scope.state.view.mapping))
        for path, value in self._leaves_without_mapping(source):
            found.setdefault(path, []).append(value)
        return found, ignored

    def _shown(self, source: dict[str, Any], wanted: _Wanted) -> tuple[list[Any], list[Any]]:
        if is_special(wanted.mapped):
            return special_values(
                source, wanted.mapped, wanted.format, from_column=wanted.from_column
            )
        kept, refused = values_in(source, wanted.mapped)
        for path in self._copied.get(wanted.mapped.path, ()):
            kept += values_in(source, replace(wanted.mapped, source_path=path))[0]
        return _column(kept, wanted) if wanted.from_column else _written(kept, wanted), refused

    def _is_inside(self, wanted: _Wanted) -> bool:
        """Whether a field is in nested objects; as a column, in others than those that are searched."""
        at = self._scope.state.view.mapping.nested_at(wanted.mapped.path)
        return at != self._scope.nested if wanted.from_column else bool(at)

    def _leaves_without_mapping(self, source: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        if not self._unmapped:
            return
        mapping = self._scope.state.view.mapping
        for path, value in _leaves(source, ""):
            if mapping.get(path) is None and any(matches(each, path) for each in self._unmapped):
                yield path, value


def _of_objects(
    value: dict[str, Any], level: str, wanted: list[_Wanted], mapping: Mapping
) -> dict[str, list[Any]]:
    """Fields in nested objects: by the path of the objects, those of each object together."""
    start = len(level) + 1 if level else 0
    found: dict[str, list[Any]] = {}
    deeper: dict[str, list[_Wanted]] = {}
    for each in wanted:
        at = mapping.nested_at(each.mapped.path)
        if at == level:
            own = replace(each.mapped, source_path=each.mapped.source_path[start:])
            if is_special(own):
                shown, _ = special_values(value, own, each.format, from_column=False)
            else:
                shown = _written(values_in(value, own)[0], each)
            if shown:
                found[each.mapped.path[start:]] = shown
            continue
        while mapping.nested_at(at.rpartition(".")[0]) != level:
            at = mapping.nested_at(at.rpartition(".")[0])
        deeper.setdefault(at, []).append(each)
    for at, below in deeper.items():
        objects = [
            _of_objects(each, at, below, mapping)
            for each in _at(value, at[start:])
            if isinstance(each, dict)
        ]
        kept = [each for each in objects if each]
        if kept:
            found[at[start:]] = kept
    return found


def _copied_from(mapping: Mapping) -> dict[str, list[str]]:
    """The paths whose values are copied to a field, by its path."""
    found: dict[str, list[str]] = {}
    for path, leaf in mapping.fields.items():
        for target in leaf.copy_to:
            found.setdefault(target, []).append(path)
    return found


def _check_column_format(mapped: Field, fmt: str) -> None:
    if mapped.type.is_date:
        check_format(fmt)
    elif mapped.type.is_integral or mapped.type.is_floating:
        decimal_format(0, fmt)
    else:
        raise IllegalArgument(
            f"Field [{mapped.path}] of type [{mapped.type.value}] does not support custom formats"
        )


def _of_metadata(name: str, stored: Document, index_name: str) -> list[Any] | None:
    match name:
        case "_id":
            return [stored.id]
        case "_index":
            return [index_name]
        case "_seq_no":
            return [stored.seq_no]
        case "_version":
            return [stored.version]
    return None if stored.routing is None else [stored.routing]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, path)
    elif value is not None:
        yield path, value


def _at(value: Any, path: str) -> Iterator[Any]:
    """The values at a dotted path, through arrays and with names that hold dots themselves; nulls too."""
    if isinstance(value, list):
        for member in value:
            yield from _at(member, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        if path in value:
            yield from _at(value[path], "")
        for at, char in enumerate(path):
            if char == "." and path[:at] in value:
                yield from _at(value[path[:at]], path[at + 1 :])


def values_in(source: dict[str, Any], mapped: Field) -> tuple[list[Any], list[Any]]:
    """What the field's column has of a document, in the order of the source; and what it does not take."""
    kept: list[Any] = []
    refused: list[Any] = []
    convert: Callable[[Any, Field], Any] = _CONVERTERS.get(mapped.type, _whole)
    for raw in _at(source, mapped.source_path):
        value = mapped.null_value if raw is None else raw
        if value is None or isinstance(value, dict):
            continue
        try:
            converted = convert(value, mapped)
        except (ApiError, ValueError, OverflowError):
            refused.append(value)
            continue
        if converted is not None:
            kept.append(converted)
        else:
            refused.append(value)
    return kept, refused


def _text(value: Any, mapped: Field) -> str | None:
    text = values.text_of(value)
    long = (
        mapped.ignore_above is not None and len(text.encode("utf-16-le")) // 2 > mapped.ignore_above
    )
    return None if long else text


def _whole(value: Any, mapped: Field) -> int:
    return int(values.decimal_of(value, mapped.type))


def _floating(value: Any, mapped: Field) -> float:
    return float(values.decimal_of(value, mapped.type))


def _boolean(value: Any, mapped: Field) -> bool:
    return False if value == "" else bool(values.boolean(value))


def _date(value: Any, mapped: Field) -> int:
    return parse_date(value, mapped.format or DEFAULT_FORMAT)


def _ip(value: Any, mapped: Field) -> str:
    return values.ip_column(values.text_of(value))


_CONVERTERS: dict[FieldType, Callable[[Any, Field], Any]] = {
    FieldType.TEXT: _text,
    FieldType.KEYWORD: _text,
    FieldType.DOUBLE: _floating,
    FieldType.FLOAT: _floating,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.IP: _ip,
}


def _written(found: list[Any], wanted: _Wanted) -> list[Any]:
    mapped = wanted.mapped
    if mapped.type.is_date:
        fmt = wanted.format or mapped.format or DEFAULT_FORMAT
        return [format_date(each, fmt) for each in found]
    if mapped.type is FieldType.IP:
        return [values.ip_shown(each) for each in found]
    return found


def _column(found: list[Any], wanted: _Wanted) -> list[Any]:
    """As doc values: ascending, texts only once, floats with the digits that 32 bits leave."""
    mapped = wanted.mapped
    if mapped.type is FieldType.KEYWORD:
        return sorted(set(found), key=str.encode)
    if mapped.type is FieldType.IP:
        return [values.ip_shown(each) for each in sorted(set(found))]
    if mapped.type is FieldType.FLOAT:
        found = [values.floating(each, FieldType.FLOAT) for each in found]
    found = sorted(found)
    if mapped.type.is_date:
        return _written(found, wanted)
    if wanted.format is not None:
        return [decimal_format(each, wanted.format) for each in found]
    return found
