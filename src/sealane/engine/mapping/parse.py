"""A mapping body into a Mapping, with the reference's reasons where it makes no sense."""

from collections.abc import Mapping as MappingABC
from dataclasses import replace
from typing import Any

from sealane.engine.mapping.completion_parameters import complete_completion
from sealane.engine.mapping.more_parameters import complete_vector
from sealane.engine.mapping.parameters import (
    DEFAULTS,
    PARAMETERS,
    BadParameter,
    boolean_text,
    display,
    java_class,
)
from sealane.engine.mapping.types import (
    DEFAULT_DATE_FORMAT,
    DEFAULT_LIMITS,
    METADATA_FIELDS,
    NO_OPTIONS,
    Dynamic,
    Field,
    FieldType,
    Mapping,
    MappingLimits,
    ObjectOptions,
)
from sealane.engine.mapping.values import BadValue, date_cause, parse_boolean_text
from sealane.errors import ApiError, IllegalArgument, MapperParsing, ParseError
from sealane.model.dates import parse_date


def parse_mapping(
    body: MappingABC[str, Any] | None, limits: MappingLimits = DEFAULT_LIMITS
) -> Mapping:
    """The mapping `body` describes: `{"properties": {...}, "dynamic": ..., ...}`.

    Raises MapperParsing (with the inner reason as its cause) where it cannot be read, IllegalArgument where it is
    larger than `limits`.
    """
    builder = _Builder()
    try:
        mapping = builder.build(body or {})
    except (BadParameter, BadValue) as exc:
        raise failed_to_parse(exc.cause) from exc
    except ApiError as exc:
        if exc.metadata.pop("as is", False):
            raise
        raise failed_to_parse(exc) from exc
    check_limits(mapping, limits)
    return mapping


def check_limits(mapping: Mapping, limits: MappingLimits) -> None:
    """Raises IllegalArgument where there are too many fields, or too deep ones."""
    if mapping.total_fields > limits.total_fields:
        raise IllegalArgument(f"Limit of total fields [{limits.total_fields}] has been exceeded")
    if mapping.object_options and len(mapping.nested) > limits.nested_fields:
        raise IllegalArgument(f"Limit of nested fields [{limits.nested_fields}] has been exceeded")
    for path in mapping.objects:
        check_depth(path, limits)


def check_depth(object_path: str, limits: MappingLimits) -> None:
    if object_path.count(".") + 2 > limits.depth:
        raise IllegalArgument(
            f"Limit of mapping depth [{limits.depth}] has been exceeded due to object field [{object_path}]"
        )


def failed_to_parse(cause: ApiError) -> MapperParsing:
    """`Failed to parse mapping: ...`. Parsing errors are their own root cause, others are not."""
    error = MapperParsing(f"Failed to parse mapping: {cause.reason}", caused_by=cause)
    if isinstance(cause, MapperParsing | ParseError):
        error.root_causes = [cause]
    return error


class _Builder:
    """Collects what one body says."""

    def __init__(self) -> None:
        self.fields: dict[str, Field] = {}
        self.objects: set[str] = set()
        self.options: dict[str, ObjectOptions] = {}

    def build(self, body: MappingABC[str, Any]) -> Mapping:
        said = dict(body)
        root = self._read_root(said)
        self._read_options("", said)
        self._read_properties("", said.pop("properties", {}))
        if said:
            raise MapperParsing(
                f"Root mapping definition has unsupported parameters:  {_listed(said)}"
            )
        return Mapping(
            fields=self.fields,
            objects=frozenset(self.objects),
            object_options=self.options,
            **root,
        )

    def _read_root(self, said: dict[str, Any]) -> dict[str, Any]:
        root: dict[str, Any] = {}
        for name in ("date_detection", "numeric_detection"):
            if name in said:
                root[name] = _node_boolean(name, said.pop(name))
        if "dynamic_date_formats" in said:
            formats = said.pop("dynamic_date_formats")
            listed = formats if isinstance(formats, list) else [formats]
            root["dynamic_date_formats"] = tuple(display(each) for each in listed)
        if said.get("dynamic_templates") == []:
            del said["dynamic_templates"]
            root["dynamic_templates"] = ()
        if "_meta" in said:
            meta = said.pop("_meta")
            if not isinstance(meta, dict):
                raise IllegalArgument(f"[_meta] must be an object, got [{display(meta)}]")
            root["meta"] = meta
        routing = said.pop("_routing", None)
        if isinstance(routing, dict):
            if "required" in routing:
                root["routing_required"] = parse_boolean_text(boolean_text(routing["required"]))
            for unknown in sorted(routing.keys() - {"required"}):
                raise MapperParsing(f"unknown parameter [{unknown}] on metadata field [_routing]")
        timestamp = said.pop("_data_stream_timestamp", None)
        if isinstance(timestamp, dict):
            root["data_stream_timestamp"] = _enabled("_data_stream_timestamp", timestamp)
        source = said.pop("_source", None)
        if source not in (None, {}, {"enabled": True}):
            raise MapperParsing(
                "[_source] must stay enabled and complete: it cannot be changed here"
            )
        return root

    def _read_properties(self, parent: str, properties: Any) -> None:
        if properties == []:
            return
        if not isinstance(properties, dict):
            raise ParseError("properties must be a map type")
        for name in sorted(properties):
            node = properties[name]
            if not name:
                raise IllegalArgument("field name cannot be an empty string")
            if isinstance(node, list) and not node:
                continue
            if not isinstance(node, dict):
                raise MapperParsing(
                    f"Expected map for property [fields] on field [{name}] but got a class java.lang.String"
                )
            self._read_property(parent, name, node)

    def _read_property(self, parent: str, name: str, node: dict[str, Any]) -> None:
        type_name = _type_of(name, node)
        kind = _field_type(name, type_name)
        path = self._enter(parent, name)
        if path in METADATA_FIELDS:
            raise MapperParsing(
                f"Field [{path}] is defined more than once", metadata={"as is": True}
            )
        if kind in (FieldType.OBJECT, FieldType.NESTED):
            self._read_object(path, name, node, is_nested=kind is FieldType.NESTED)
            return
        if path in self.objects:
            raise IllegalArgument(
                f"can't merge a non object mapping [{path}] with an object mapping"
            )
        if kind is FieldType.ALIAS:
            self.fields[path] = _alias(path, name, node)
            return
        self._read_leaf(path, path, name, kind, node)

    def _enter(self, parent: str, name: str) -> str:
        """The full path of `name` (which may hold dots) below `parent`, with the objects it implies."""
        parts = name.split(".")
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        path = parent
        for part in parts:
            if path:
                self._add_object(path)
            if not part:
                raise IllegalArgument("field name cannot be an empty string")
            if not part.strip():
                raise IllegalArgument("field name cannot contain only whitespaces")
            path = f"{path}.{part}" if path else part
        return path

    def _add_object(self, path: str) -> None:
        leaf = self.fields.get(path)
        if leaf is not None:
            raise IllegalArgument(
                f"mapper [{path}] cannot be changed from type [{leaf.type}] to [ObjectMapper]"
            )
        self.objects.add(path)

    def _read_object(
        self, path: str, name: str, node: dict[str, Any], *, is_nested: bool = False
    ) -> None:
        self._add_object(path)
        said = {key: value for key, value in node.items() if key != "type"}
        self._read_options(path, said)
        if is_nested:
            includes: dict[str, Any] = {
                key: _node_boolean(f"{name}.{key}", said.pop(key))
                for key in ("include_in_parent", "include_in_root")
                if key in said
            }
            if includes.get("include_in_parent") and not self._nested_around(path):
                # The parent is the root: the reference does not keep both.
                includes["include_in_root"] = False
            options = self.options.get(path, NO_OPTIONS)
            self.options[path] = replace(options, nested=True, **includes)
        self._read_properties(path, said.pop("properties", {}))
        if said:
            raise MapperParsing(
                f"Mapping definition for [{name}] has unsupported parameters:  {_listed(said)}"
            )

    def _nested_around(self, path: str) -> bool:
        parts = path.split(".")[:-1]
        return any(
            self.options.get(".".join(parts[:n]), NO_OPTIONS).nested
            for n in range(1, len(parts) + 1)
        )

    def _read_options(self, path: str, said: dict[str, Any]) -> None:
        dynamic = _read_dynamic(said)
        enabled = None
        if "enabled" in said:
            enabled = _node_boolean("enabled.enabled", said.pop("enabled"))
        if said.get("subobjects") is True:
            del said["subobjects"]
        if dynamic is not None or enabled is not None:
            self.options[path] = ObjectOptions(dynamic=dynamic, enabled=enabled)

    def _read_leaf(
        self, path: str, source_path: str, name: str, kind: FieldType, node: dict[str, Any]
    ) -> None:
        known = {parameter.name: parameter for parameter in PARAMETERS[kind]}
        values: dict[str, Any] = {}
        explicit: set[str] = set()
        for key in sorted(node.keys() - {"type", "fields"}):
            parameter = known.get(key)
            if parameter is None:
                raise MapperParsing(
                    f"unknown parameter [{key}] on mapper [{name}] of type [{kind}]"
                )
            if node[key] is None:
                if parameter.nullable:
                    continue
                raise MapperParsing(
                    f"[{key}] on mapper [{name}] of type [{kind}] must not have a [null] value"
                )
            values[key] = parameter.read(name, kind, node[key])
            if parameter.shown_when_set and values[key] == DEFAULTS[key]:
                explicit.add(key)
        if values.get("format") == DEFAULT_DATE_FORMAT:
            del values["format"]
        if values.get("ignore_above") == 2**31 - 1:
            del values["ignore_above"]
        if kind in (FieldType.DATE, FieldType.DATE_NANOS) and "null_value" in values:
            _check_date_null_value(name, values)
        if kind is FieldType.BINARY:
            values.setdefault("doc_values", False)
        if kind is FieldType.DENSE_VECTOR:
            complete_vector(values, explicit)
        if kind is FieldType.COMPLETION:
            complete_completion(values, explicit)
        if kind is FieldType.SCALED_FLOAT and "scaling_factor" not in values:
            raise IllegalArgument("Field [scaling_factor] is required")
        if "copy_to" in values and path != source_path:
            raise IllegalArgument(
                f"[copy_to] may not be used to copy from a multi-field: [{path}]",
                metadata={"as is": True},
            )
        self.fields[path] = Field(
            path=path,
            type=kind,
            source_path=source_path,
            explicit=frozenset(explicit),
            **values,
        )
        self._read_multi_fields(path, source_path, name, node.get("fields"))

    def _read_multi_fields(self, path: str, source_path: str, name: str, fields: Any) -> None:
        if fields is None or fields == []:
            return
        if path != source_path:
            raise IllegalArgument(
                f"Encountered a multi-field [{name}] which itself contains a multi-field. "
                "Defining chained multi-fields is not supported."
            )
        if not isinstance(fields, dict):
            raise MapperParsing(
                f"expected map for property [fields] on field [{display(fields)}] or [fields] "
                f"but got a {java_class(fields)}"
            )
        for sub in sorted(fields):
            node = fields[sub]
            if "." in sub:
                raise MapperParsing(
                    f"Field name [{sub}] which is a multi field of [{name}] cannot contain '.'"
                )
            if not isinstance(node, dict):
                raise MapperParsing(
                    f"illegal field [{sub}], only fields can be specified inside fields"
                )
            if node.get("type") is None:
                raise MapperParsing(f"no type specified for property [{sub}]")
            type_name = display(node["type"])
            if type_name in ("object", "nested", "alias"):
                raise MapperParsing(f"Type [{type_name}] cannot be used in multi field")
            if type_name == FieldType.DENSE_VECTOR:
                raise MapperParsing(
                    f"Field [{sub}] of type [{type_name}] can't be used in multifields"
                )
            self._read_leaf(f"{path}.{sub}", path, sub, _field_type(sub, type_name), node)


def _type_of(name: str, node: dict[str, Any]) -> str:
    declared = node.get("type")
    if declared is not None:
        return display(declared)
    if "properties" in node:
        return "object"
    if "enabled" in node and node.keys() <= {"enabled", "dynamic"}:
        return "object"
    raise MapperParsing(f"No type specified for field [{name}]")


def _alias(path: str, name: str, node: dict[str, Any]) -> Field:
    if "path" not in node:
        raise MapperParsing(f"The [path] property must be specified for field [{name}].")
    said = {key: value for key, value in node.items() if key not in ("type", "path")}
    if said:
        raise MapperParsing(
            f"Mapping definition for [{name}] has unsupported parameters:  {_listed(said)}"
        )
    return Field(path=path, type=FieldType.ALIAS, source_path=path, target=display(node["path"]))


def check_references(mapping: Mapping) -> None:
    """That aliases and `copy_to` lead to fields. Raises MapperParsing or IllegalArgument. For whole mappings."""
    for path, leaf in mapping.fields.items():
        for copied in leaf.copy_to:
            if copied in mapping.objects:
                raise IllegalArgument(
                    f"Cannot copy to field [{copied}] since it is mapped as an object"
                )
            source, wanted = mapping.nested_at(path), mapping.nested_at(copied)
            if wanted and source != wanted and not source.startswith(wanted + "."):
                raise IllegalArgument(
                    "Illegal combination of [copy_to] and [nested] mappings: [copy_to] may only copy "
                    "data to the current nested document or any of its parents, however one "
                    f"[copy_to] directive is trying to copy data from nested object "
                    f"[{source or 'null'}] to [{wanted}]"
                )
        if leaf.type is not FieldType.ALIAS:
            continue
        begin = f"Invalid [path] value [{leaf.target}] for field alias [{path}]: an alias"
        found = mapping.fields.get(leaf.target or "")
        if leaf.target == path:
            raise MapperParsing(f"{begin} cannot refer to itself.")
        if found is None:
            raise MapperParsing(f"{begin} must refer to an existing field in the mappings.")
        if found.type is FieldType.ALIAS:
            raise MapperParsing(f"{begin} cannot refer to another alias.")


def _field_type(name: str, type_name: str) -> FieldType:
    try:
        return FieldType(type_name)
    except ValueError:
        raise MapperParsing(
            f"The mapper type [{type_name}] declared on field [{name}] does not exist. It might have been created "
            "within a future version or requires a plugin to be installed. Check the documentation."
        ) from None


def _check_date_null_value(name: str, values: dict[str, Any]) -> None:
    try:
        parse_date(values["null_value"], values.get("format", DEFAULT_DATE_FORMAT))
    except ApiError as exc:
        cause = date_cause(exc)
        raise MapperParsing(
            f"Error parsing [null_value] on field [{name}]: {cause.reason}", caused_by=cause
        ) from exc


def _read_dynamic(said: dict[str, Any]) -> Dynamic | None:
    value = said.pop("dynamic", None)
    if value is None:
        return None
    text = boolean_text(value).lower()
    if text in (Dynamic.STRICT, Dynamic.RUNTIME):
        return Dynamic(text)
    return Dynamic.TRUE if _node_boolean("dynamic.dynamic", value) else Dynamic.FALSE


def _enabled(name: str, node: dict[str, Any]) -> bool:
    """The one parameter of a metadata field."""
    for unknown in sorted(node.keys() - {"enabled"}):
        raise MapperParsing(f"unknown parameter [{unknown}] on metadata field [{name}]")
    return parse_boolean_text(boolean_text(node.get("enabled", False)))


def _node_boolean(name: str, value: Any) -> bool:
    try:
        return parse_boolean_text(boolean_text(value))
    except BadValue as exc:
        raise IllegalArgument(
            f"Could not convert [{name}] to boolean", caused_by=exc.cause
        ) from exc


def _listed(said: MappingABC[str, Any]) -> str:
    return " ".join(f"[{key} : {display(said[key])}]" for key in sorted(said))
