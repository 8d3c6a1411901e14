"""That a document of a data stream has one `@timestamp`, and the reference's words where it has not."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping.parameters import display
from sealane.errors import DocumentParsing, IllegalArgument
from sealane.query.located import Place, scan

_TIMESTAMP: Final = "@timestamp"
_FIELD: Final = f"data stream timestamp field [{_TIMESTAMP}]"


def check_timestamp(
    document: Mapping[str, Any], mapping: FieldMapping, source: bytes, doc_id: str
) -> None:
    """Whether the value is a date is found out with the others. Raises DocumentParsing."""
    value = document.get(_TIMESTAMP)
    values = value if type(value) is list else [value]
    given = [at for at, each in enumerate(values) if each is not None]
    if len(given) == 1:
        return
    found = scan(source).value
    if not given:
        raise _failed(found.end, "", f"{_FIELD} is missing")
    second = given[1]
    field = mapping.get(_TIMESTAMP)
    kind = "date" if field is None else field.type
    raise _failed(
        found[_TIMESTAMP].values_at[second],
        f" field [{_TIMESTAMP}] of type [{kind}] in document with id '{doc_id}'. Preview of field's value: "
        f"'{display(values[second])}'",
        f"{_FIELD} encountered multiple values",
    )


def _failed(place: Place, where: str, why: str) -> DocumentParsing:
    text = where or f": {why}"
    return DocumentParsing(f"[{place}] failed to parse{text}", caused_by=IllegalArgument(why))
