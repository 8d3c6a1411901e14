"""Whether a field can be searched, and whether its values can be read by document."""

from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument


def check_fielddata(mapped: Field, index_name: str) -> None:
    """Raises IllegalArgument for a text field, and for one without doc values."""
    if mapped.type is FieldType.TEXT:
        raise IllegalArgument(
            f"Fielddata is disabled on [{mapped.path}] in [{index_name}]. Text fields are not "
            "optimised for operations that require per-document field data like aggregations and "
            "sorting, so these operations are disabled by default. Please use a keyword field "
            f"instead. Alternatively, set fielddata=true on [{mapped.path}] in order to load "
            "field data by uninverting the inverted index. Note that this can use significant "
            "memory."
        )
    if mapped.type is FieldType.COMPLETION:
        raise IllegalArgument(
            f"Fielddata is not supported on field [{mapped.path}] of type [completion]"
        )
    if not mapped.doc_values or mapped.type is FieldType.BINARY:
        raise IllegalArgument(
            f"Can't load fielddata on [{mapped.path}] because fielddata is unsupported on fields "
            f"of type [{mapped.type.value}]. Use doc values instead."
        )


_UNSEARCHABLE = {
    FieldType.GEO_POINT: (
        "Geometry fields do not support exact searching, use dedicated geometry queries instead: [{path}]"
    ),
    FieldType.BINARY: "Binary fields do not support searching",
    FieldType.DENSE_VECTOR: "Field [{path}] of type [{type}] doesn't support term queries",
}


def check_takes(mapped: Field, kind: str) -> None:
    """Raises IllegalArgument for a field that no value can be looked for in. `kind` is the query's: term, match, ..."""
    refusal = _UNSEARCHABLE.get(mapped.type)
    if refusal is None:
        return
    if kind != "term":
        refusal = "Field [{path}] of type [{type}] does not support " + kind + " queries"
    raise IllegalArgument(refusal.format(path=mapped.path, type=mapped.type.value))


def check_searchable(mapped: Field) -> None:
    if mapped.index:
        return
    if mapped.type is FieldType.TEXT:
        raise IllegalArgument(f"Cannot search on field [{mapped.path}] since it is not indexed.")
    if not mapped.doc_values:
        raise IllegalArgument(
            f"Cannot search on field [{mapped.path}] since it is not indexed nor has doc values."
        )
