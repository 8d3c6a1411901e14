"""Dynamic mapping: what a document that shows unknown fields adds to its mapping."""

from dataclasses import replace
from typing import Any, NamedTuple

from sealane.engine.mapping.merge import merge_mapping
from sealane.engine.mapping.more_parameters import check_dims
from sealane.engine.mapping.parameters import display
from sealane.engine.mapping.parse import check_depth, failed_to_parse
from sealane.engine.mapping.types import (
    DEFAULT_DYNAMIC_DATE_FORMATS,
    Dynamic,
    Field,
    FieldType,
    Mapping,
    MappingLimits,
)
from sealane.errors import ApiError, IllegalArgument, MapperParsing
from sealane.model.dates import parse_date

_IGNORE_ABOVE = 256
_NO_LIMITS = MappingLimits(total_fields=2**31 - 1, depth=2**31 - 1)


class Inferred(NamedTuple):
    """What a document adds to its mapping, and the paths of what it shows beyond the limit, where that is ignored."""

    update: Mapping
    ignored: tuple[str, ...]


def infer_update(document: dict[str, Any], mapping: Mapping, limits: MappingLimits) -> Inferred:
    """The mapping of the fields that `document` has and `mapping` does not; empty when there are none.

    Fields in strict or not dynamic objects, and in disabled ones, are left out. Raises IllegalArgument where the
    document contradicts itself, TooMuch where a limit is passed.
    """
    inference = _Inference(mapping, limits)
    inference.read_object("", document)
    return Inferred(inference.update, tuple(inference.ignored))


def may_grow(mapping: Mapping, path: str) -> bool:
    """Whether a document may add a field at `path`."""
    parent = path.rpartition(".")[0]
    return mapping.is_enabled(parent) and mapping.dynamic_at(parent) is Dynamic.TRUE


class TooMuch(Exception):
    """A field that is one too many, or too deep. `path` is where the document shows it."""

    def __init__(self, cause: IllegalArgument, path: str) -> None:
        super().__init__(cause.reason)
        self.cause = cause
        self.path = path


class _Inference:
    def __init__(self, mapping: Mapping, limits: MappingLimits) -> None:
        self.mapping = mapping
        self.limits = limits
        self.update = Mapping()
        self.ignored: list[str] = []

    def read_object(self, path: str, value: dict[str, Any]) -> None:
        for key, item in value.items():
            parts = [part for part in key.split(".") if part]
            below = path
            for part in parts[:-1]:
                below = self.enter(below, part)
                if below in self.ignored:
                    break
            else:
                if parts:
                    self.read_value(below, parts[-1], item)

    def enter(self, parent: str, name: str) -> str:
        path = f"{parent}.{name}" if parent else name
        if path in self.mapping.objects or not self.may_add(parent) or path in self.mapping.fields:
            return path
        if path in self.ignored:
            return path
        try:
            check_depth(path, self.limits)
        except IllegalArgument as exc:
            raise TooMuch(exc, path) from exc
        self.add(Mapping(objects=frozenset((path,))), path)
        return path

    def may_add(self, parent: str) -> bool:
        if not self.mapping.is_enabled(parent):
            return False
        return self.mapping.dynamic_at(parent) in (Dynamic.TRUE, Dynamic.RUNTIME)

    def read_value(self, parent: str, name: str, value: Any) -> None:
        if value is None:
            return
        path = f"{parent}.{name}" if parent else name
        if isinstance(value, list):
            known_leaf = self.mapping.fields.get(path)
            if known_leaf is not None:
                for target in (path, *known_leaf.copy_to):
                    self.learn_dims(target, len(value))
            for each in value:
                self.read_value(parent, name, each)
        elif path in self.mapping.fields:
            leaf = self.mapping.fields[path]
            if leaf.type is FieldType.CONSTANT_KEYWORD and leaf.value is None:
                text = value if isinstance(value, str) else display(value)
                self.update = replace(
                    self.update, fields={**self.update.fields, path: replace(leaf, value=text)}
                )
            for target in leaf.copy_to:
                self.copy(target, value)
        elif isinstance(value, dict):
            if not self.mapping.is_enabled(path):
                return
            known = self.update.fields.get(path)
            if known is not None:
                raise IllegalArgument(
                    f"mapper [{path}] cannot be changed from type [{known.type}] to [ObjectMapper]"
                )
            self.enter(parent, name)
            if path not in self.ignored:
                self.read_object(path, value)
        elif path not in self.mapping.objects and path not in self.ignored and self.may_add(parent):
            self.add(self.leaf(path, value), path)

    def learn_dims(self, path: str, length: int) -> None:
        """A vector's field without `dims` has those of the first vector. Raises MapperParsing for too many, or none."""
        leaf = self.mapping.fields.get(path)
        if leaf is None or leaf.type is not FieldType.DENSE_VECTOR or leaf.dims is not None:
            return
        if path not in self.update.fields:
            dims = length * 8 if leaf.element_type == "bit" else length
            try:
                check_dims(dims)
            except MapperParsing as error:
                raise failed_to_parse(error) from None
            fields = {**self.update.fields, path: replace(leaf, dims=dims)}
            self.update = replace(self.update, fields=fields)

    def copy(self, target: str, value: Any) -> None:
        """The field that a value is copied to, where it is not mapped yet."""
        if target in self.mapping.fields or not may_grow(self.mapping, target):
            return
        parts = target.split(".")
        below = ""
        for part in parts[:-1]:
            below = self.enter(below, part)
        if below not in self.ignored:
            self.read_value(below, parts[-1], value)

    def add(self, addition: Mapping, path: str) -> None:
        widened = merge_mapping(self.update, addition, _NO_LIMITS)
        if widened is self.update:
            return
        if self.mapping.total_fields + widened.total_fields <= self.limits.total_fields:
            self.update = widened
        elif self.limits.ignore_dynamic_beyond:
            self.ignored.append(path)
        else:
            cause = IllegalArgument(
                f"Limit of total fields [{self.limits.total_fields}] has been exceeded while adding "
                f"new fields [{addition.total_fields}]"
            )
            raise TooMuch(cause, path)

    def leaf(self, path: str, value: Any) -> Mapping:
        kind, date_format = self.kind_of(value)
        if kind is FieldType.TEXT:
            keyword = f"{path}.keyword"
            return Mapping(
                fields={
                    path: Field(path=path, type=FieldType.TEXT, source_path=path),
                    keyword: Field(
                        path=keyword,
                        type=FieldType.KEYWORD,
                        source_path=path,
                        ignore_above=_IGNORE_ABOVE,
                    ),
                }
            )
        # Formats that come from the defaults show the root locale, as the reference does.
        locale = "" if date_format == DEFAULT_DYNAMIC_DATE_FORMATS[1] else None
        return Mapping(
            fields={
                path: Field(
                    path=path, type=kind, source_path=path, format=date_format, locale=locale
                )
            }
        )

    def kind_of(self, value: Any) -> tuple[FieldType, str | None]:
        if isinstance(value, bool):
            return FieldType.BOOLEAN, None
        if isinstance(value, int):
            return FieldType.LONG, None
        if isinstance(value, float):
            return FieldType.FLOAT, None
        return self.kind_of_text(value)

    def kind_of_text(self, text: str) -> tuple[FieldType, str | None]:
        if self.mapping.numeric_detection:
            try:
                int(text)
                return FieldType.LONG, None
            except ValueError:
                pass
            try:
                float(text)
                return FieldType.FLOAT, None
            except ValueError:
                pass
        if self.mapping.date_detection is not False and any(mark in text for mark in ":-/"):
            formats = self.mapping.dynamic_date_formats
            for date_format in DEFAULT_DYNAMIC_DATE_FORMATS if formats is None else formats:
                try:
                    parse_date(text, date_format)
                except ApiError:
                    continue
                is_default = date_format == "strict_date_optional_time"
                return FieldType.DATE, None if is_default else date_format
        return FieldType.TEXT, None
