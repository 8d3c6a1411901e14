"""Values of a document's source, for the rare question that no index answers."""

from collections.abc import Iterator
from typing import Any

import tantivy

from sealane.engine.embedded.stored import decode_stored
from sealane.engine.embedded.view import STORED
from sealane.query.any_json import loads


def source_at(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Any:
    """The JSON of a document."""
    return loads(decode_stored(bytes(searcher.doc(address).get_first(STORED) or b"")).source)


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """The scalars at a path, those of arrays and of objects in arrays too; a name may itself hold dots."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        if value is not None and not isinstance(value, dict):
            yield value
    elif isinstance(value, dict):
        for taken in range(1, len(path) + 1):
            name = ".".join(path[:taken])
            if name in value:
                yield from values_at(value[name], path[taken:])
