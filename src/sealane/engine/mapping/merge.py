"""Two mappings into one: what may change, what may not, and the reference's words for the difference."""

from typing import TypeVar

from sealane.engine.mapping.parameters import PARAMETERS, shown
from sealane.engine.mapping.parse import check_limits, check_references
from sealane.engine.mapping.types import (
    DEFAULT_LIMITS,
    NO_OPTIONS,
    Field,
    Mapping,
    MappingLimits,
    ObjectOptions,
)
from sealane.errors import IllegalArgument, MapperError

_T = TypeVar("_T")


def merge_mapping(
    base: Mapping, update: Mapping, limits: MappingLimits = DEFAULT_LIMITS
) -> Mapping:
    """`base` with everything `update` says. Returns `base` itself where nothing changes.

    Raises IllegalArgument where they conflict or the result is larger than `limits`.
    """
    fields = dict(base.fields)
    for path in sorted(update.fields):
        if path in base.objects:
            raise _object_conflict(path, base)
        new, old = update.fields[path], base.fields.get(path)
        fields[path] = new if old is None else _merge_field(old, new)
    for path in sorted(update.objects):
        if path in base.fields:
            raise _object_conflict(path, update)
        if path in base.objects:
            _check_nested(path, base, update)
    merged = Mapping(
        fields=fields,
        objects=base.objects | update.objects,
        object_options=_merge_options(base, update),
        date_detection=_newer(update.date_detection, base.date_detection),
        numeric_detection=_newer(update.numeric_detection, base.numeric_detection),
        dynamic_date_formats=_newer(update.dynamic_date_formats, base.dynamic_date_formats),
        dynamic_templates=_newer(update.dynamic_templates, base.dynamic_templates),
        routing_required=_merge_routing(base, update),
        data_stream_timestamp=_merge_timestamp(base, update),
        meta=_newer(update.meta, base.meta),
    )
    if merged == base:
        return base
    if merged.total_fields > base.total_fields:
        check_limits(merged, limits)
    if any(leaf.target or leaf.copy_to for leaf in update.fields.values()):
        check_references(merged)
    return merged


def _newer(new: _T | None, old: _T | None) -> _T | None:
    return old if new is None else new


def _object_conflict(path: str, holder: Mapping) -> IllegalArgument:
    """`holder` is the mapping that has the object."""
    if holder.object_options.get(path, NO_OPTIONS).nested:
        return IllegalArgument(f"can't merge a non-nested mapping [{path}] with a nested mapping")
    return IllegalArgument(f"can't merge a non object mapping [{path}] with an object mapping")


def _merge_field(old: Field, new: Field) -> Field:
    """The updateable parameters are those of the new one, also where it leaves them out."""
    if (old.target is None) != (new.target is None):
        raise IllegalArgument(
            f"Cannot merge a field alias mapping [{new.path}] with a mapping that is not for a "
            "field alias."
        )
    if old.type is not new.type or old.source_path != new.source_path:
        raise IllegalArgument(
            f"mapper [{new.path}] cannot be changed from type [{old.type}] to [{new.type}]"
        )
    conflicts = []
    for parameter in PARAMETERS[old.type]:
        before, after = getattr(old, parameter.name), getattr(new, parameter.name)
        was, wanted = shown(parameter.name, before), shown(parameter.name, after)
        if parameter.name == "analyzer":
            was = "standard" if "analyzer" in old.explicit else "default"
            wanted = "standard" if "analyzer" in new.explicit else "default"
        if parameter.name == "norms" and before and not after:
            continue  # norms may be given up, never taken up again
        if parameter.name == "dims" and before is None:
            continue  # learnt from the first vector, or told late
        if was != wanted and not parameter.updateable:
            conflicts.append(
                f"Cannot update parameter [{parameter.name}] from [{was}] to [{wanted}]"
            )
    if conflicts:
        listed = "\n\t".join(conflicts)
        raise IllegalArgument(
            f"Mapper for [{new.path}] conflicts with existing mapper:\n\t{listed}"
        )
    return new


def _merge_options(base: Mapping, update: Mapping) -> dict[str, ObjectOptions]:
    merged = dict(base.object_options)
    for path, new in update.object_options.items():
        old = merged.get(path, NO_OPTIONS)
        is_known = path in base.objects
        if is_known and new.enabled is not None and new.enabled != base.is_enabled(path):
            raise MapperError(
                f"the [enabled] parameter can't be updated for the object mapping [{path}]"
            )
        merged[path] = ObjectOptions(
            dynamic=_newer(new.dynamic, old.dynamic),
            enabled=_newer(new.enabled, old.enabled),
            nested=new.nested or old.nested,
            include_in_parent=new.include_in_parent or old.include_in_parent,
            include_in_root=new.include_in_root or old.include_in_root,
        )
    return merged


def _check_nested(path: str, base: Mapping, update: Mapping) -> None:
    """An update has to say again that an object is nested, and how."""
    old = base.object_options.get(path, NO_OPTIONS)
    new = update.object_options.get(path, NO_OPTIONS)
    if new.nested != old.nested:
        raise IllegalArgument(f"can't merge a non-nested mapping [{path}] with a nested mapping")
    for name in ("include_in_parent", "include_in_root"):
        if getattr(new, name) != getattr(old, name):
            raise MapperError(f"the [{name}] parameter can't be updated on a nested object mapping")


def _merge_timestamp(base: Mapping, update: Mapping) -> bool | None:
    new, old = update.data_stream_timestamp, base.data_stream_timestamp
    if old and new is False:
        raise IllegalArgument(
            "Mapper for [_data_stream_timestamp] conflicts with existing mapper:\n\t"
            "Cannot update parameter [enabled] from [true] to [false]"
        )
    return _newer(new, old)


def _merge_routing(base: Mapping, update: Mapping) -> bool | None:
    new, old = update.routing_required, bool(base.routing_required)
    if new is not None and new != old:
        was, wanted = str(old).lower(), str(new).lower()
        raise IllegalArgument(
            "Mapper for [_routing] conflicts with existing mapper:\n\t"
            f"Cannot update parameter [required] from [{was}] to [{wanted}]"
        )
    return base.routing_required
