"""`_ccr`: indices that follow others, and the rules that make them follow.

The reference's calls, and three of ours: `promote`, `failback` and `verify`. Each of those needs the rights to the
reference's calls that it stands for.
"""

from dataclasses import replace
from typing import Final

from sealane.model.followers import AutoFollowPattern
from sealane.rest.ccr_body import (
    read_auto_follow,
    read_failback,
    read_follow,
    read_forget,
    read_resume,
)
from sealane.rest.ccr_response import (
    render_acknowledged,
    render_auto_follow_stats,
    render_failback,
    render_follow,
    render_follow_stats,
    render_info,
    render_patterns,
    render_promoted,
    render_shards,
    render_verified,
)
from sealane.rest.ccr_services import AutoFollow, Followers, LeaderLeases, Replication
from sealane.rest.human import is_for_people
from sealane.rest.params import BODY_AS_PARAMETER, Parser, active_shards, time_ms
from sealane.rest.request import ACKNOWLEDGED, Request, Response, json_response
from sealane.rest.router import Handler, Route, no_indices, path_indices
from sealane.rest.services import NodeServices

_MASTER: Final[dict[str, Parser]] = {"master_timeout": time_ms}
_TIMEOUT: Final[dict[str, Parser]] = {"timeout": time_ms}
_FOLLOW: Final = "indices:admin/xpack/ccr/put_follow"
_UNFOLLOW: Final = "indices:admin/xpack/ccr/unfollow"
_PAUSE: Final = "cluster:admin/xpack/ccr/pause_follow"


def routes(services: NodeServices, replication: Replication) -> list[Route]:
    """For the node that holds the data: others pass these requests on."""
    return [
        *_following(replication.followers),
        *_ending(replication.followers),
        *_told(services, replication),
        *_ours(replication.followers),
        *_leases(replication.leader),
        *_rules(replication.auto_follow),
    ]


def _awaited(name: str, text: str) -> int | None:
    """What an index's own setting says counts as nothing: it is not there yet."""
    return 0 if text == "index-setting" else active_shards(name, text)


def _following(followers: Followers) -> list[Route]:
    async def follow(request: Request) -> Response:
        return json_response(
            render_follow(await followers.follow(read_follow(request), request.ctx))
        )

    async def resume(request: Request) -> Response:
        await followers.resume(request.index, read_resume(request.body), request.ctx)
        return ACKNOWLEDGED

    return [
        Route(
            methods=("PUT",),
            paths=("/{index}/_ccr/follow",),
            handler=follow,
            action=_FOLLOW,
            indices=path_indices,
            params={
                **_MASTER,
                **_TIMEOUT,
                "wait_for_active_shards": _awaited,
                **BODY_AS_PARAMETER,
            },
            body=True,
            check=read_follow,
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/resume_follow",),
            handler=resume,
            action="cluster:admin/xpack/ccr/resume_follow",
            indices=no_indices,
            params={**_MASTER, **BODY_AS_PARAMETER},
            body=True,
            check=lambda request: read_resume(request.body),
        ),
    ]


def _ending(followers: Followers) -> list[Route]:
    async def pause(request: Request) -> Response:
        await followers.pause(request.index)
        return ACKNOWLEDGED

    async def unfollow(request: Request) -> Response:
        ended = await followers.unfollow(request.index, request.ctx)
        return json_response(render_acknowledged(ended.leases_pending))

    return [
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/pause_follow",),
            handler=pause,
            action=_PAUSE,
            indices=no_indices,
            params=_MASTER,
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/unfollow",),
            handler=unfollow,
            action=_UNFOLLOW,
            indices=path_indices,
            params={**_MASTER, **_TIMEOUT},
        ),
    ]


def _told(services: NodeServices, replication: Replication) -> list[Route]:
    followers = replication.followers

    async def info(request: Request) -> Response:
        return json_response(render_info(followers.info(request.indices)))

    async def of_indices(request: Request) -> Response:
        found = followers.stats(request.indices or None)
        return json_response(
            render_follow_stats(
                found, for_people=is_for_people(request), now_ms=services.clock.now_ms()
            )
        )

    async def of_all(request: Request) -> Response:
        following = render_follow_stats(
            followers.stats(None),
            for_people=is_for_people(request),
            now_ms=services.clock.now_ms(),
        )
        automatic = render_auto_follow_stats(replication.auto_follow.stats())
        return json_response({"auto_follow_stats": automatic, "follow_stats": following})

    return [
        Route(
            methods=("GET",),
            paths=("/{index}/_ccr/info",),
            handler=info,
            action="cluster:monitor/ccr/follow_info",
            indices=no_indices,
            params=_MASTER,
        ),
        Route(
            methods=("GET",),
            paths=("/{index}/_ccr/stats",),
            handler=of_indices,
            action="cluster:monitor/ccr/follow_stats",
            indices=no_indices,
            params=_TIMEOUT,
        ),
        Route(
            methods=("GET",),
            paths=("/_ccr/stats",),
            handler=of_all,
            action="cluster:monitor/ccr/stats",
            indices=no_indices,
            params={**_MASTER, **_TIMEOUT},
        ),
    ]


def _ours(followers: Followers) -> list[Route]:
    async def promote(request: Request) -> Response:
        promoted = await followers.promote(request.indices, request.ctx)
        if len(promoted) == 1 and promoted[0].error is not None:
            raise promoted[0].error
        return json_response(render_promoted(promoted))

    async def failback(request: Request) -> Response:
        answer = await followers.failback(read_failback(request), request.ctx)
        return json_response(render_failback(answer))

    async def verify(request: Request) -> Response:
        return json_response(render_verified(await followers.verify(request.index, request.ctx)))

    return [
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/promote",),
            handler=promote,
            action=_UNFOLLOW,
            indices=path_indices,
            also=(_PAUSE,),
            params={**_MASTER, **_TIMEOUT},
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/failback",),
            handler=failback,
            action=_FOLLOW,
            indices=path_indices,
            also=(_PAUSE,),
            params={**_MASTER, **_TIMEOUT},
            body=True,
            check=read_failback,
        ),
        # It reads both copies as a whole, so being allowed to look on is not enough.
        Route(
            methods=("GET",),
            paths=("/{index}/_ccr/verify",),
            handler=verify,
            action="cluster:admin/xpack/ccr/verify",
            indices=no_indices,
            params=_TIMEOUT,
        ),
    ]


def _leases(leader: LeaderLeases) -> list[Route]:
    async def forget(request: Request) -> Response:
        return json_response(render_shards(await leader.forget(read_forget(request), request.ctx)))

    return [
        Route(
            methods=("POST",),
            paths=("/{index}/_ccr/forget_follower",),
            handler=forget,
            action="indices:admin/xpack/ccr/forget_follower",
            indices=path_indices,
            params={**_TIMEOUT, **BODY_AS_PARAMETER},
            body=True,
            check=read_forget,
        ),
    ]


def _rules(rules: AutoFollow) -> list[Route]:
    async def put(request: Request) -> Response:
        await rules.put(_rule(request), request.ctx)
        return ACKNOWLEDGED

    async def get(request: Request) -> Response:
        return json_response(render_patterns(rules.get(request.path_params.get("name"))))

    async def delete(request: Request) -> Response:
        await rules.delete(request.path_params["name"])
        return ACKNOWLEDGED

    async def pause(request: Request) -> Response:
        await rules.set_active(request.path_params["name"], False)
        return ACKNOWLEDGED

    async def resume(request: Request) -> Response:
        await rules.set_active(request.path_params["name"], True)
        return ACKNOWLEDGED

    def route(method: str, path: str, handler: Handler, action: str) -> Route:
        return Route(
            methods=(method,),
            paths=(path,),
            handler=handler,
            action=f"cluster:admin/xpack/ccr/auto_follow_pattern/{action}",
            indices=no_indices,
            params=_MASTER,
        )

    every, one = "/_ccr/auto_follow", "/_ccr/auto_follow/{name}"
    return [
        replace(
            route("PUT", one, put, "put"),
            params={**_MASTER, **BODY_AS_PARAMETER},
            body=True,
            check=_rule,
        ),
        replace(route("GET", one, get, "get"), paths=(every, one)),
        route("DELETE", one, delete, "delete"),
        route("POST", f"{one}/pause", pause, "activate"),
        route("POST", f"{one}/resume", resume, "activate"),
    ]


def _rule(request: Request) -> AutoFollowPattern:
    return read_auto_follow(request.path_params["name"], request.body)
