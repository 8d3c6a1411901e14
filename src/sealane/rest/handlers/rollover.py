"""`_rollover`: a new index for what an alias or a data stream writes to."""

from collections.abc import Mapping
from typing import Any

from sealane.cluster.rollover import Condition, RolledOver, Rollover
from sealane.cluster.rollover_service import Rollovers
from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.query.cursor import Convert, Cursor
from sealane.query.template_requests import as_long, read_rollover
from sealane.rest.params import MASTER, active_shards, boolean, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route
from sealane.settings import parse_time
from sealane.settings.units import parse_bytes


def routes(rollovers: Rollovers) -> list[Route]:
    async def roll(request: Request) -> Response:
        asked = _asked(request)
        return json_response(_shown(asked, await rollovers.rollover(asked)))

    return [
        Route(
            methods=("POST",),
            paths=("/{index}/_rollover", "/{index}/_rollover/{new_index}"),
            handler=roll,
            action="indices:admin/rollover",
            indices=lambda request: (request.index,),
            params={
                **MASTER,
                "timeout": time_ms,
                "dry_run": boolean,
                "lazy": boolean,
                "wait_for_active_shards": active_shards,
            },
            body=True,
            check=_asked,
        )
    ]


def _asked(request: Request) -> Rollover:
    """Raises what is wrong with the request whoever asks."""
    found = read_rollover(request.body, READERS)
    conditions = tuple(found.get("conditions", {}).values())
    lazy = request.params.get("lazy", False)
    if any(each.is_least for each in conditions) and all(each.is_least for each in conditions):
        raise ActionRequestValidation(
            ["at least one max_* rollover condition must be set when using min_* conditions"]
        )
    if lazy and conditions:
        raise IllegalArgument(
            "Lazy rollover can be used only without any conditions. Please remove the conditions from the request body "
            "or the query parameter 'lazy'."
        )
    return Rollover(
        target=request.index,
        new_name=request.path_params.get("new_index"),
        conditions=conditions,
        body={key: found[key] for key in ("settings", "mappings", "aliases") if key in found},
        dry_run=request.params.get("dry_run", False),
        lazy=lazy,
    )


def _docs(cursor: Cursor, members: Mapping[str, Any], name: str) -> Condition:
    value = as_long(cursor, members, name)
    return Condition(name, value, str(value))


def _age(cursor: Cursor, members: Mapping[str, Any], name: str) -> Condition:
    text = members[name]
    return Condition(name, parse_time(text, name).ms, text)


def _size(cursor: Cursor, members: Mapping[str, Any], name: str) -> Condition:
    text = members[name]
    return Condition(name, parse_bytes(text, name), text)


READERS: dict[str, Convert] = {
    "age": _age,
    "docs": _docs,
    "size": _size,
    "primary_shard_size": _size,
    "primary_shard_docs": _docs,
}
"""By what a condition is about, how its value is read."""


def _shown(asked: Rollover, done: RolledOver) -> dict[str, Any]:
    return {
        "acknowledged": done.acknowledged,
        "shards_acknowledged": done.rolled_over,
        "old_index": done.old_index,
        "new_index": done.new_index,
        "rolled_over": done.rolled_over,
        "dry_run": asked.dry_run,
        "lazy": asked.lazy,
        "conditions": done.conditions,
    }
