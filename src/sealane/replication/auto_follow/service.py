"""The rules by which new indices of remote clusters are followed: their API, and the watches that carry them out."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sealane.clock import Clock
from sealane.cluster.store import StateStore
from sealane.errors import ActionRequestValidation, ApiError
from sealane.model.followers import AutoFollowedCluster, AutoFollowPattern, AutoFollowStats
from sealane.model.task import Context
from sealane.replication.auto_follow.errors import RecentErrors
from sealane.replication.auto_follow.patterns import StoredPatterns
from sealane.replication.auto_follow.ports import Contexts, Follows
from sealane.replication.auto_follow.rules import FollowingOf, already_there, check_pattern_name
from sealane.replication.auto_follow.watch import ClusterWatch, Counters
from sealane.replication.feed import Feeds
from sealane.settings import Value
from sealane.transport.tasks import TaskScope

_log = logging.getLogger("sealane.replication.auto_follow")
_RESTART_S: Final = 1.0

OverrideCheck = Callable[[dict[str, Value | None]], None]
"""Raises IllegalArgument for settings that a follower may not have of its own."""


class AutoFollow:
    """`start` before the first use, `close` at the end. What follows an index is handed in."""

    def __init__(
        self,
        *,
        store: StateStore,
        feeds: Feeds,
        follows: Follows,
        contexts: Contexts,
        encode_subject: Callable[[Context], str],
        following: FollowingOf,
        check_overrides: OverrideCheck,
        local_uuid: Callable[[], str],
        wait_s: Callable[[], float],
        clock: Clock,
    ) -> None:
        """`wait_s` is `ccr.wait_for_metadata_timeout`."""
        self._patterns = StoredPatterns(store)
        self._feeds = feeds
        self._follows = follows
        self._contexts = contexts
        self._encode_subject = encode_subject
        self._following = following
        self._check_overrides = check_overrides
        self._local_uuid = local_uuid
        self._wait_s = wait_s
        self._clock = clock
        self._errors = RecentErrors(clock.now_ms)
        self._counters = Counters()
        self._scope = TaskScope("auto-follow")
        self._watches: dict[tuple[str, str], tuple[ClusterWatch, TaskScope]] = {}

    async def start(self) -> None:
        """Reads the rules and begins to watch. Raises IllegalState, IOFailure."""
        await self._patterns.load()
        self._adjust()

    async def close(self) -> None:
        for _, scope in self._watches.values():
            await scope.close()
        self._watches.clear()
        await self._scope.close()

    # -- the API ---------------------------------------------------------------------------------

    async def put(self, pattern: AutoFollowPattern, ctx: Context) -> None:
        """Makes a rule, or replaces one; it is active. Indices that are there already are left alone, unless the rule
        includes them.

        Raises ActionRequestValidation, IllegalArgument, NoSuchRemoteCluster and what asking the remote does, IOFailure.
        """
        wrong = check_pattern_name(pattern.name)
        if wrong is not None:
            raise ActionRequestValidation([wrong])
        self._check_overrides(dict(pattern.settings))
        cluster = await self._feeds.feed(pattern.remote_cluster).cluster(ctx)
        assert cluster is not None, "a state that need not be newer is always there"
        subject = self._encode_subject(ctx)

        def made(before: AutoFollowPattern | None) -> AutoFollowPattern:
            if before is not None and before.remote_cluster != pattern.remote_cluster:
                before = None
            return msgspec.structs.replace(
                pattern,
                active=True,
                followed=already_there(pattern, before, cluster),
                subject=subject,
            )

        await self._patterns.put(pattern.name, made)
        self._adjust()

    def get(self, name: str | None) -> Sequence[AutoFollowPattern]:
        """All rules by name, or the one. Raises ResourceNotFound."""
        return self._patterns.all() if name is None else [self._patterns.find(name)]

    async def delete(self, name: str) -> None:
        """Followers that the rule made go on. Raises ResourceNotFound, IOFailure."""
        await self._patterns.delete(name)
        self._errors.forget_pattern(name)
        self._adjust()

    async def set_active(self, name: str, active: bool) -> None:
        """Pauses a rule, or resumes it: what came meanwhile is followed then. Raises ResourceNotFound, IOFailure."""
        await self._patterns.change(name, lambda each: msgspec.structs.replace(each, active=active))
        self._adjust()

    def stats(self) -> AutoFollowStats:
        return AutoFollowStats(
            successful_follow_indices=self._counters.followed,
            failed_follow_indices=self._counters.not_followed,
            failed_remote_cluster_state_requests=self._counters.failed_requests,
            errors=self._errors.newest_first(),
            clusters=self._clusters(),
        )

    def _clusters(self) -> Sequence[AutoFollowedCluster]:
        """One entry a remote: of several subjects the one that is worst off."""
        by_alias: dict[str, AutoFollowedCluster] = {}
        for watch, _ in self._watches.values():
            found = watch.statistics()
            known = by_alias.get(found.alias)
            if known is None or _is_worse(found, known):
                by_alias[found.alias] = found
        return [by_alias[alias] for alias in sorted(by_alias)]

    # -- the watches -----------------------------------------------------------------------------

    def _adjust(self) -> None:
        """One watch for each remote and subject that has an active rule; all look at once."""
        wanted = {
            (each.remote_cluster, each.subject) for each in self._patterns.all() if each.active
        }
        for key in [key for key in self._watches if key not in wanted]:
            _, scope = self._watches.pop(key)
            self._scope.start(scope.close(), name="stop")
        for key in wanted:
            known = self._watches.get(key)
            if known is not None:
                known[0].wake()
            else:
                self._begin(key)

    def _begin(self, key: tuple[str, str]) -> None:
        alias, subject = key
        watch = ClusterWatch(
            alias,
            subject,
            patterns=self._patterns,
            feeds=self._feeds,
            follows=self._follows,
            contexts=self._contexts,
            following=self._following,
            local_uuid=self._local_uuid,
            wait_s=self._wait_s,
            errors=self._errors,
            counters=self._counters,
            clock=self._clock,
        )
        scope = TaskScope(f"auto-follow {alias}")
        scope.start(_kept_running(watch), name="watch")
        self._watches[key] = (watch, scope)


async def _kept_running(watch: ClusterWatch) -> None:
    """A full disk, or a fault of ours, must not end the watching of a remote."""
    while True:
        try:
            await watch.run()
        except ApiError as error:
            _log.error("auto-follow of [%s]: %s", watch.alias, error.reason)
        except Exception:
            _log.exception("auto-follow of [%s] broke", watch.alias)
        await asyncio.sleep(_RESTART_S)


def _is_worse(found: AutoFollowedCluster, known: AutoFollowedCluster) -> bool:
    if (found.last_error is None) != (known.last_error is None):
        return found.last_error is not None
    return found.time_since_last_check_ms > known.time_since_last_check_ms
