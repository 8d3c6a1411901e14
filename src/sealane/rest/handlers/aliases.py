"""`_aliases` and `_alias`."""

from collections.abc import Sequence
from typing import Any

from sealane.cluster.views import IndexView
from sealane.errors import ApiError, IllegalArgument
from sealane.model.access import current_access
from sealane.model.patterns import matches
from sealane.rest.alias_body import read_alias, read_alias_actions
from sealane.rest.expressions import PERMISSIVE, options_of
from sealane.rest.params import INDICES_OPTIONS, Parser, ignored, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import AliasAction, Services

_TIMES: dict[str, Parser] = {"master_timeout": time_ms, "timeout": time_ms}
_DONE = Response(b'{"acknowledged":true,"errors":false}')


def _named_in_body(request: Request) -> Sequence[str]:
    """What a denial names. Of a malformed body nothing: what is wrong with it is told to those who may."""
    try:
        actions = read_alias_actions(request.body)
    except ApiError:
        return ()
    return tuple(dict.fromkeys(name for action in actions for name in action.indices))


def routes(services: Services) -> list[Route]:
    async def update(request: Request) -> Response:
        await services.indices.update_aliases(read_alias_actions(request.body))
        return _DONE

    async def put(request: Request) -> Response:
        name = request.path_params["name"]
        if not request.index:
            raise IllegalArgument("[indices] can't be empty")
        await services.indices.update_aliases([read_alias(request.body, request.indices, name)])
        return _DONE

    async def delete(request: Request) -> Response:
        action = AliasAction(
            kind="remove",
            indices=request.indices,
            aliases=tuple(request.path_params["name"].split(",")),
            must_exist=True,
        )
        await services.indices.update_aliases([action])
        return _DONE

    async def get(request: Request) -> Response:
        found = services.indices.find(request.indices, options_of(request.params, PERMISSIVE))
        names = [each for each in request.path_params.get("name", "").split(",") if each]
        if found:
            _check_named(names)
        return _shown(found, names, explicit=bool(request.index))

    reading: dict[str, Parser] = {**INDICES_OPTIONS, "local": ignored, **_TIMES}
    named = ("/{index}/_alias/{name}", "/{index}/_aliases/{name}")
    return [
        Route(
            methods=("POST",),
            paths=("/_aliases",),
            handler=update,
            action="indices:admin/aliases",
            indices=_named_in_body,
            params=_TIMES,
            body=True,
        ),
        Route(
            methods=("PUT", "POST"),
            paths=(*named, "/_alias/{name}"),
            handler=put,
            action="indices:admin/aliases",
            indices=path_indices,
            params=_TIMES,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=named,
            handler=delete,
            action="indices:admin/aliases",
            indices=path_indices,
            params=_TIMES,
        ),
        Route(
            methods=("GET",),
            paths=("/_alias", "/_aliases", "/{index}/_alias"),
            handler=get,
            action="indices:admin/aliases/get",
            indices=path_indices,
            params=reading,
        ),
        Route(
            methods=("GET", "HEAD"),
            paths=("/_alias/{name}", "/{index}/_alias/{name}"),
            handler=get,
            action="indices:admin/aliases/get",
            indices=path_indices,
            params=reading,
        ),
    ]


def _check_named(names: Sequence[str]) -> None:
    """Raises SecurityError, which names none, for an alias that whoever asks may not look at, be there one or not."""
    access = current_access()
    if access is None:
        return
    for name in names:
        if not ("*" in name or name == "_all" or name.startswith("-") or access.allows(name)):
            raise access.denial(())


def _shown(found: Sequence[IndexView], names: Sequence[str], *, explicit: bool) -> Response:
    """The aliases by index. Without names every index is listed; a plain name that is nowhere is a 404."""
    wanted = ["*" if name == "_all" else name for name in names]
    everything = not names
    body: dict[str, Any] = {}
    seen: set[str] = set()
    for index in found:
        aliases = {
            name: alias
            for name, alias in index.aliases.items()
            if everything or _selected(wanted, name)
        }
        seen.update(aliases)
        if aliases or not names:
            body[index.name] = {"aliases": aliases}
    missing = sorted(
        name
        for at, name in enumerate(names)
        if name != "_all" and "*" not in name and name not in seen and not _excludes(names, at)
    )
    if not missing:
        return json_response(body)
    kind = "aliases" if len(missing) > 1 else "alias"
    text = f"{kind} [{','.join(missing)}] missing"
    return json_response({"error": text, "status": 404, **body}, 404)


def _excludes(patterns: Sequence[str], at: int) -> bool:
    """Whether a name with a hyphen before it takes away from what a pattern brought in."""
    return patterns[at].startswith("-") and any("*" in each for each in patterns[:at])


def _selected(patterns: Sequence[str], name: str) -> bool:
    """Whether the list names it; a later `-pattern` takes away again."""
    selected = False
    for pattern in patterns:
        if pattern.startswith("-"):
            selected = selected and not matches(pattern[1:], name)
        else:
            selected = selected or matches(pattern, name)
    return selected
