"""`_field_caps`: from a request to the service and back to JSON."""

from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.model.about_indices import FieldCapsRequest
from sealane.query.index_requests import read_field_caps
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS, boolean, names, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.search.field_caps import FieldCapsOutcome, FieldCapsService


def routes(service: FieldCapsService) -> list[Route]:
    """With and without an index expression."""

    async def field_caps(request: Request) -> Response:
        params = request.params
        body = read_field_caps(request.body)
        timeout_ms = params.get("timeout")
        outcome = await service.field_caps(
            FieldCapsRequest(
                indices=request.indices,
                fields=_fields(params.get("fields"), body.get("fields")),
                options=options_of(params, STRICT),
                filters=params.get("filters", ()),
                types=params.get("types", ()),
                index_filter=body.get("index_filter"),
                include_empty=params.get("include_empty_fields", True),
            ),
            request.ctx,
            include_unmapped=params.get("include_unmapped", False),
            timeout_s=None if timeout_ms is None or timeout_ms < 0 else timeout_ms / 1000,
        )
        return json_response(_shown(outcome))

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_field_caps", "/{index}/_field_caps"),
            handler=field_caps,
            action="indices:data/read/field_caps",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                "fields": names,
                "filters": names,
                "include_empty_fields": boolean,
                "include_unmapped": boolean,
                "types": names,
                "timeout": time_ms,  # ours: the reference waits for a remote for as long as it takes
            },
            unsuggested=frozenset({"timeout"}),
            body=True,
            check=lambda request: read_field_caps(request.body),
        )
    ]


def _fields(parameter: tuple[str, ...] | None, body: tuple[str, ...] | None) -> tuple[str, ...]:
    """Raises IllegalArgument where they are given twice or empty, ActionRequestValidation where not at all."""
    if parameter is not None and body is not None:
        raise IllegalArgument(
            "can't specify a request body and [fields] request parameter, either specify a request body or the "
            "[fields] request parameter"
        )
    fields = body if parameter is None else parameter
    if fields is None:
        raise ActionRequestValidation(["no fields specified"])
    if not fields:
        raise IllegalArgument("specified fields can't be null or empty")
    return fields


def _shown(outcome: FieldCapsOutcome) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "indices": list(outcome.indices),
        "fields": {
            name: {
                kind: cap.to_json(in_conflict=len(types) > 1) for kind, cap in sorted(types.items())
            }
            for name, types in outcome.fields.items()
        },
    }
    if outcome.failures:
        shown["failed_indices"] = sum(len(each.indices) for each in outcome.failures)
        shown["failures"] = [
            {
                "indices": list(each.indices),
                "failure": {"error": each.error.to_body()["error"]},
            }
            for each in outcome.failures
        ]
    return shown
