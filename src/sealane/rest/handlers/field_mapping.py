"""`_mapping/field/{fields}`: the mapping of single fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model.patterns import matches
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS, boolean, ignored
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import Services
from sealane.search.index_fields import METADATA


def _no_defaults(name: str, text: str) -> bool:
    if boolean(name, text):
        raise IllegalArgument("parameter [include_defaults] is not supported by this version")
    return False


def routes(services: Services) -> list[Route]:
    async def get(request: Request) -> Response:
        patterns = request.path_params["fields"].split(",")
        found = services.indices.find(request.indices, options_of(request.params, STRICT))
        shown = {
            index.name: {"mappings": _selected(index.mapping, patterns)}
            for index in found
            if index.open
        }
        return json_response(shown, 200 if shown else 404)

    return [
        Route(
            methods=("GET",),
            paths=("/_mapping/field/{fields}", "/{index}/_mapping/field/{fields}"),
            handler=get,
            action="indices:admin/mappings/fields/get",
            indices=path_indices,
            params={**INDICES_OPTIONS, "include_defaults": _no_defaults, "local": ignored},
        )
    ]


def _selected(mapping: Mapping[str, Any], patterns: list[str]) -> dict[str, Any]:
    """The fields that are named, in the reference's shape: the full name, and the mapping by the last part of it."""
    if not mapping:
        return {}
    fields: dict[str, dict[str, Any]] = {cap.name: {} for cap in METADATA}
    fields.update(_leaves("", mapping))
    return {
        name: {"full_name": name, "mapping": leaf}
        for name, leaf in fields.items()
        if any(matches(pattern, name) for pattern in patterns)
    }


def _leaves(path: str, node: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below an object with its mapping, multi-fields too; objects themselves are none."""
    for name, each in node.get("properties", {}).items():
        full = f"{path}.{name}" if path else name
        if "properties" in each or each.get("type") in (None, "object", "nested"):
            yield from _leaves(full, each)
            continue
        yield full, {name: each}
        for inner, field in each.get("fields", {}).items():
            yield f"{full}.{inner}", {inner: field}
