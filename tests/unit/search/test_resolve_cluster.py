"""Which clusters are asked about names, and what is told of those that do not answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalArgument,
    IndexNotFound,
    InvalidIndexName,
    NodeDisconnected,
    NoSuchRemoteCluster,
    ParseError,
    ReceiveTimeout,
    TaskCancelled,
)
from sealane.model.clusters import (
    ClusterMatch,
    ClusterStats,
    ProductVersion,
    RemoteTraits,
    ResolveClusterRequest,
)
from sealane.model.search import IndicesOptions
from sealane.model.task import Context, TaskRegistry
from sealane.search.resolve_cluster import ClusterResolution, ClusterResolver

HERE = ProductVersion("8.19.0", "default", "7.17.0", "7.0.0")
THERE = ProductVersion("9.1.0")
OPTIONS = IndicesOptions(expand_hidden=True)


class Scripted:
    """Answers what it is told to; an error is raised. Without an answer it never answers."""

    def __init__(self, answer: ClusterMatch | Exception | None) -> None:
        self.answer = answer
        self.asked: list[ResolveClusterRequest] = []

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        self.asked.append(request)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        raise NotImplementedError


class Registered:
    def __init__(self, **clients: Scripted) -> None:
        self.clients = clients
        self.refusal: ApiError | None = None

    def aliases(self) -> Sequence[str]:
        if self.refusal is not None:
            raise self.refusal
        return sorted(self.clients)

    def client(self, alias: str) -> Scripted:
        return self.clients[alias]

    def traits(self, alias: str) -> RemoteTraits:
        return RemoteTraits(mode="sniff", skip_unavailable=alias != "us", compress="true")


YES = ClusterMatch(matches=True, version=THERE)
LOCAL_YES = ClusterMatch(matches=True, version=HERE)


async def resolve(
    expressions: Sequence[str] | None,
    remotes: Registered,
    local: Scripted | None = None,
    **more: Any,
) -> list[ClusterResolution]:
    resolver = ClusterResolver(local=local or Scripted(LOCAL_YES), remotes=remotes)
    with TaskRegistry("n").start("indices:admin/resolve/cluster", start_ms=0) as task:
        return await resolver.resolve(expressions, OPTIONS, Context(task=task), **more)


async def test_each_cluster_gets_its_own_part_of_the_names() -> None:
    local, eu, us = Scripted(LOCAL_YES), Scripted(YES), Scripted(YES)
    found = await resolve(("eu:a", "b", "us:c*", "eu:d::data"), Registered(eu=eu, us=us), local)
    assert [each.alias for each in found] == ["", "eu", "us"]
    assert local.asked == [ResolveClusterRequest(expressions=("b",), options=OPTIONS)]
    assert eu.asked == [ResolveClusterRequest(expressions=("a", "d::data"), options=OPTIONS)]
    assert us.asked == [ResolveClusterRequest(expressions=("c*",), options=OPTIONS)]
    assert found[0] == ClusterResolution(
        alias="", connected=True, skip_unavailable=False, matches=True, version=HERE
    )
    assert (found[1].skip_unavailable, found[2].skip_unavailable) == (True, False)


async def test_without_names_every_remote_is_asked_and_the_local_cluster_is_not() -> None:
    """C-84, S-126."""
    local, eu = Scripted(LOCAL_YES), Scripted(ClusterMatch(matches=None, version=THERE))
    (only,) = await resolve(None, Registered(eu=eu), local)
    assert (only.alias, only.matches, only.version) == ("eu", None, THERE)
    assert eu.asked[0].expressions is None
    assert local.asked == []


async def test_no_name_at_all_is_no_cluster() -> None:
    assert await resolve((), Registered(eu=Scripted(YES))) == []
    assert await resolve(("zz*:x",), Registered(eu=Scripted(YES))) == []


async def test_local_names_alone_do_not_need_remotes() -> None:
    remotes = Registered()
    remotes.refusal = IllegalArgument(
        "node [n] does not have the remote cluster client role enabled"
    )
    assert len(await resolve(("a",), remotes)) == 1
    with pytest.raises(IllegalArgument, match="role enabled"):
        await resolve(None, remotes)


async def test_an_unknown_alias_fails_the_whole() -> None:
    """C-86."""
    with pytest.raises(NoSuchRemoteCluster):
        await resolve(("nope:x", "a"), Registered())


@pytest.mark.parametrize(
    "error", [InvalidIndexName("_x", "must not start with '_'."), ParseError("x")]
)
async def test_a_local_name_that_cannot_be_fails_the_whole(error: ApiError) -> None:
    with pytest.raises(type(error)):
        await resolve(("_x", "eu:x"), Registered(eu=Scripted(YES)), Scripted(error))


async def test_a_local_name_that_is_missing_is_told_in_its_entry() -> None:
    found = await resolve(("a", "eu:x"), Registered(eu=Scripted(YES)), Scripted(IndexNotFound("a")))
    assert found[0] == ClusterResolution(
        alias="", connected=True, skip_unavailable=False, error="no such index [a]"
    )
    assert found[1].matches is True


@pytest.mark.parametrize(
    ("error", "connected", "text"),
    [
        (ConnectTransport("x"), False, None),
        (NodeDisconnected("x"), False, None),
        (NoSuchRemoteCluster("x"), False, None),
        (IndexNotFound("a"), True, "no such index [a]"),
        (
            ReceiveTimeout("x"),
            False,
            "Request timed out before receiving a response from the remote cluster",
        ),
        (IllegalArgument("bad"), False, "java.lang.IllegalArgumentException: bad"),
        (
            InvalidIndexName("_x", "must not start with '_'."),
            False,
            "[_x] org.elasticsearch.indices.InvalidIndexNameException: "
            "Invalid index name [_x], must not start with '_'.",
        ),
        (ParseError("bad"), False, "org.elasticsearch.ElasticsearchParseException: bad"),
    ],
)
async def test_what_is_told_of_a_remote_that_fails(
    error: ApiError, connected: bool, text: str | None
) -> None:
    """C-83: the texts are those of 8.19.0."""
    (only,) = await resolve(("eu:a",), Registered(eu=Scripted(error)))
    assert only == ClusterResolution(
        alias="eu", connected=connected, skip_unavailable=True, error=text
    )


async def test_a_remote_that_never_answers_ends_with_the_timeout() -> None:
    """C-83, S-125."""
    found = await resolve(
        ("a", "eu:a", "us:a"), Registered(eu=Scripted(None), us=Scripted(YES)), timeout_s=0
    )
    assert found[0].connected
    assert (found[1].connected, found[1].error) == (
        False,
        "Request timed out before receiving a response from the remote cluster",
    )
    assert found[2].connected


async def test_a_cancelled_request_is_no_answer() -> None:
    with pytest.raises(TaskCancelled):
        await resolve(("eu:a",), Registered(eu=Scripted(TaskCancelled("by user request"))))


async def test_a_remote_that_cannot_be_asked_says_why_and_is_connected() -> None:
    unasked = ClusterMatch(matches=None, version=THERE, unasked="not yet")
    (only,) = await resolve(("eu:a",), Registered(eu=Scripted(unasked)))
    assert (only.connected, only.error, only.version) == (True, "not yet", THERE)
