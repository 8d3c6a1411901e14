"""`_terms_enum`: from a request to the service and back to JSON."""

from typing import Any, Final

from sealane.errors import ActionRequestValidation
from sealane.model.about_indices import TermsEnumRequest
from sealane.query.index_requests import read_terms_enum
from sealane.rest.bodies import require_body
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.search_response import render_shards
from sealane.search.terms_enum import TermsEnumService
from sealane.settings import parse_time

DEFAULT_SIZE: Final = 10
DEFAULT_TIMEOUT_MS: Final = 1000
_TIMEOUT_MAX_MS: Final = 60_000


def routes(service: TermsEnumService) -> list[Route]:
    async def terms_enum(request: Request) -> Response:
        outcome = await service.terms_enum(_request(request), request.ctx)
        shards = render_shards(outcome.shards, outcome.failures)
        del shards["skipped"]  # a broadcast's answer has none
        return json_response(
            {"_shards": shards, "terms": list(outcome.terms), "complete": outcome.complete}
        )

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/{index}/_terms_enum",),
            handler=terms_enum,
            action="indices:data/read/xpack/termsenum/list",
            indices=path_indices,
            params=INDICES_OPTIONS,
            body=True,
            check=_request,
        )
    ]


def _request(request: Request) -> TermsEnumRequest:
    """Raises what is wrong with the body, ActionRequestValidation."""
    body: dict[str, Any] = read_terms_enum(require_body(request.body))
    timeout_ms = DEFAULT_TIMEOUT_MS
    if "timeout" in body:
        timeout_ms = parse_time(body["timeout"], "timeout").ms
    size = body.get("size", DEFAULT_SIZE)
    problems = []
    if body.get("field") is None:
        problems.append("field cannot be null")
    if timeout_ms > _TIMEOUT_MAX_MS:
        problems.append("Timeout cannot be > 1 minute")
    if timeout_ms <= 0:
        problems.append("Timeout cannot be <= 0")
    if size <= 0:
        problems.append("Size cannot be <= 0")
    if problems:
        raise ActionRequestValidation(problems)
    return TermsEnumRequest(
        indices=request.indices,
        field=body["field"],
        options=options_of(request.params, STRICT),
        prefix=body.get("string", ""),
        after=body.get("search_after"),
        size=size,
        case_insensitive=body.get("case_insensitive", False),
        index_filter=body.get("index_filter"),
        timeout_ms=timeout_ms,
    )
