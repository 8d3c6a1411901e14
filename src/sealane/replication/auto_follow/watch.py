"""One remote cluster, watched on behalf of one subject: each new state of its indices is held against the rules.

The loop ends only by being cancelled. Where the remote cannot be asked, or an index not be followed, it tries again
after a growing pause; nothing is given up.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sealane.clock import Clock
from sealane.errors import ApiError, NoSuchRemoteCluster, ResourceNotFound
from sealane.model.backoff import Backoff
from sealane.model.followers import AutoFollowedCluster, AutoFollowPattern
from sealane.model.replication import LeaderCluster
from sealane.replication.auto_follow.errors import RecentErrors
from sealane.replication.auto_follow.patterns import StoredPatterns
from sealane.replication.auto_follow.ports import Contexts, Follows
from sealane.replication.auto_follow.rules import (
    Decision,
    Follow,
    FollowingOf,
    Handled,
    Refused,
    decide,
    remembered,
)
from sealane.replication.feed import Feeds
from sealane.transport.tasks import TaskScope

STATE_ACTION: Final = "cluster:monitor/state"
FOLLOW_ACTION: Final = "indices:admin/xpack/ccr/put_follow"
_BACKOFF: Final = Backoff(first_s=0.5, max_s=30.0)
_PAUSE_MIN_S: Final = 0.05
_PAUSE_MAX_S: Final = 2.0
"""After each look a pause as long as what came of it, within these: a remote whose metadata never stops changing takes
half of the time at most.
"""
_log = logging.getLogger("sealane.replication.auto_follow")


class Counters:
    """Of all watches together, since the node started."""

    def __init__(self) -> None:
        self.followed = 0
        self.not_followed = 0
        self.failed_requests = 0


class ClusterWatch:
    """`run` until cancelled; `wake` after any change of the rules."""

    def __init__(
        self,
        alias: str,
        subject: str,
        *,
        patterns: StoredPatterns,
        feeds: Feeds,
        follows: Follows,
        contexts: Contexts,
        following: FollowingOf,
        local_uuid: Callable[[], str],
        wait_s: Callable[[], float],
        errors: RecentErrors,
        counters: Counters,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.alias = alias
        self.subject = subject
        self._patterns = patterns
        self._feeds = feeds
        self._follows = follows
        self._contexts = contexts
        self._following = following
        self._local_uuid = local_uuid
        self._wait_s = wait_s
        self._errors = errors
        self._counters = counters
        self._clock = clock
        self._chance = chance
        self._known: LeaderCluster | None = None
        self._looked_at = False
        """Whether the present rules have been held against what is known."""
        self._misses = 0
        self._checked_ms: int | None = None
        self._last_error: ApiError | None = None
        self._poll: asyncio.Task[LeaderCluster | None] | None = None

    def statistics(self) -> AutoFollowedCluster:
        since = -1 if self._checked_ms is None else max(0, self._clock.now_ms() - self._checked_ms)
        return AutoFollowedCluster(
            alias=self.alias,
            time_since_last_check_ms=since,
            last_seen_metadata_version=self._known.metadata_version if self._known else 0,
            last_error=self._last_error,
        )

    def wake(self) -> None:
        """Looks at the remote at once: the rules are others now."""
        self._looked_at = False
        if self._poll is not None:
            self._poll.cancel()

    async def run(self) -> None:
        async with TaskScope(f"auto-follow {self.alias}") as scope:
            while True:
                await self._round(scope)

    async def _round(self, scope: TaskScope) -> None:
        """One look at the remote, and what comes of it."""
        self._poll = poll = scope.start(self._ask(), name="metadata")
        try:
            await asyncio.wait({poll})
        finally:
            self._poll = None
        if poll.cancelled():
            return
        found = poll.result()
        if self._last_error is not None:
            await asyncio.sleep(_BACKOFF.pause_s(self._misses, self._chance()))
            return
        if found is not None:
            self._known = found
        began_at = asyncio.get_running_loop().time()
        self._looked_at = True
        if self._known is not None and not await self._apply(self._known):
            self._misses += 1
        else:
            self._misses = 0
        if found is not None:
            took_s = asyncio.get_running_loop().time() - began_at
            await asyncio.sleep(min(max(took_s, _PAUSE_MIN_S), _PAUSE_MAX_S))

    async def _ask(self) -> LeaderCluster | None:
        """What is new there; None where nothing is, and where it failed, which is then the last error."""
        known, wait_s = self._known, self._wait_s()
        if self._misses:
            wait_s = min(wait_s, _BACKOFF.pause_s(self._misses, self._chance()))
        newer_than = known.metadata_version if known is not None and self._looked_at else None
        try:
            feed = self._feeds.feed(self.alias)
            with self._contexts.asking_as(self.subject, STATE_ACTION) as ctx:
                found = await feed.cluster(ctx, newer_than=newer_than, timeout_s=wait_s)
        except ApiError as error:
            self._failed(error)
            return None
        self._checked_ms = self._clock.now_ms()
        if self._last_error is not None:
            _log.info("auto-follow: remote cluster [%s] answers again", self.alias)
            self._last_error = None
            self._misses = 0
            for pattern in self._own():
                self._errors.clear(pattern.name, None)
        return found

    def _failed(self, error: ApiError) -> None:
        self._misses += 1
        if self._last_error is None:
            _log.warning("auto-follow: remote cluster [%s]: %s", self.alias, error.reason)
        self._last_error = error
        # What is known of a remote says nothing of the one that has its alias next.
        self._known = None
        if not isinstance(error, NoSuchRemoteCluster):
            self._counters.failed_requests += 1
        for pattern in self._own():
            self._errors.put(pattern.name, None, error)

    def _own(self) -> Sequence[AutoFollowPattern]:
        """The active rules on this remote that the subject has put."""
        return [each for each in self._of_remote() if each.active and each.subject == self.subject]

    def _of_remote(self) -> Sequence[AutoFollowPattern]:
        return [each for each in self._patterns.all() if each.remote_cluster == self.alias]

    async def _apply(self, cluster: LeaderCluster) -> bool:
        """Whether all that the rules want has been done."""
        await self._prune(cluster)
        decisions = list(
            decide(
                self._own(),
                self._of_remote(),
                cluster,
                local_uuid=self._local_uuid(),
                following=self._following,
            )
        )
        done = True
        handled: dict[str, list[str]] = {}
        for decision in decisions:
            done &= await self._carry_out(decision, handled)
        for name, uuids in handled.items():
            await self._mark(name, uuids)
        return done

    async def _prune(self, cluster: LeaderCluster) -> None:
        for pattern in self._own():
            await self._change_followed(
                pattern.name, lambda followed: remembered(followed, cluster)
            )

    async def _carry_out(self, decision: Decision, handled: dict[str, list[str]]) -> bool:
        """Whether it has been done. What nothing was to be done for is put into `handled`, by rule: there may be many,
        and each time that they are kept all are written.
        """
        pattern, index = decision.pattern, decision.index
        now = self._patterns.get(pattern.name)
        if now is None or not now.active:
            # Deleted or paused while those before it were followed.
            return True
        match decision:
            case Refused(error=error):
                self._refused(pattern, index.name, error)
                return False
            case Handled(error=error):
                if error is not None:
                    self._refused(pattern, index.name, error)
                handled.setdefault(pattern.name, []).append(index.uuid)
            case Follow(request=request):
                try:
                    with self._contexts.asking_as(self.subject, FOLLOW_ACTION) as ctx:
                        await self._follows.follow(request, ctx)
                except ApiError as error:
                    self._refused(pattern, index.name, error)
                    return False
                self._counters.followed += 1
                _log.info(
                    "auto-follow: [%s] follows [%s:%s] by pattern [%s]",
                    request.index,
                    self.alias,
                    index.name,
                    pattern.name,
                )
                self._errors.clear(pattern.name, index.name)
                await self._mark(pattern.name, [index.uuid])
        return True

    def _refused(self, pattern: AutoFollowPattern, index: str, error: ApiError) -> None:
        self._counters.not_followed += 1
        self._errors.put(pattern.name, index, error)

    async def _mark(self, name: str, uuids: Sequence[str]) -> None:
        await self._change_followed(name, lambda followed: (*followed, *uuids))

    async def _change_followed(
        self, name: str, change: Callable[[tuple[str, ...]], Sequence[str]]
    ) -> None:
        def changed(pattern: AutoFollowPattern) -> AutoFollowPattern:
            followed = tuple(dict.fromkeys(change(pattern.followed)))
            if followed == pattern.followed:
                return pattern
            return msgspec.structs.replace(pattern, followed=followed)

        try:
            await self._patterns.change(name, changed)
        except ResourceNotFound:
            pass  # the rule was deleted meanwhile: what it began to follow goes on
