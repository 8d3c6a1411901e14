"""What must hold in a world whose nodes form a cluster. Each check raises Violation; `checks` counts them."""

from collections import Counter

from sealane.cluster.published import FOLLOW, PublishedState
from sealane.settings import Settings
from sealane.testing.simulation.members.data_node import LEASE_S
from sealane.testing.simulation.members.gateway import FILE, PATIENCE_S, WAIT_S, Gateway
from sealane.testing.simulation.members.program import CONNECT_TIMEOUT_S
from sealane.testing.simulation.members.world import AWAY, HOME, MembersWorld
from sealane.testing.simulation.world import Violation

_UNDER_WAY_S = 8.0
"""What was sent before the last fault was over may arrive so much later."""
GONE_AFTER_S = WAIT_S + LEASE_S + _UNDER_WAY_S
"""A member that can say nothing has been removed by then: its last question, its lease, what was under way."""
_MASTER_GONE_S = WAIT_S + PATIENCE_S + _UNDER_WAY_S
_WELL_S = 30.0
"""What happened so long ago has no effect any more."""
_SOCKETS_TO_MASTER = 2
"""The connection, and a probe for an HTTP server beside it."""
_ADDRESSES_MAX = 5
_REJOIN_PAUSE_S = 10.0
_JOIN_TIMEOUT_S = 10.0
BACK_AFTER_S = (
    WAIT_S  # a question whose answer was lost
    + PATIENCE_S
    + _REJOIN_PAUSE_S
    + 2 * _ADDRESSES_MAX * 3 * CONNECT_TIMEOUT_S  # a round under way, and the next
    + 2 * _JOIN_TIMEOUT_S
    + LEASE_S  # of a copy that has its id
)
"""A gateway that nothing keeps from it is a member by then."""


class MembersInvariants:
    """Of one world."""

    def __init__(self, world: MembersWorld) -> None:
        self._world = world
        self._judged: dict[str, int] = {}
        self._compared: dict[str, tuple[int, Settings]] = {}
        self._state: PublishedState | None = None
        self.checks: Counter[str] = Counter()

    def at_rest(self) -> None:
        """To be called when nothing more can happen at this moment."""
        world = self._world
        for gateway in world.programs():
            if isinstance(gateway, Gateway) and gateway.is_running:
                self._judge_taken(gateway)
                self._judge_settings(gateway)
                self._judge_questions(gateway)
                self._judge_master(gateway)
        if world.data.is_running:
            if world.data.state is not self._state:
                before, self._state = self._state, world.data.state
                self._judge_state(self._state)
                if before is not None and before.term == self._state.term:
                    self._judge_removed(before, self._state)
            self._judge_gone()
        if world.log.wrong:
            raise Violation(world.log.wrong[0])

    # -- one gateway -------------------------------------------------------------------------------

    def _judge_taken(self, gateway: Gateway) -> None:
        """States of one term come in order, and a term that is over does not come back."""
        key = gateway.info.ephemeral_id
        done = self._judged.get(key, 0)
        taken = gateway.taken
        for at in range(done, len(taken)):
            new = taken[at]
            self.checks["a state that is taken was published"] += 1
            if self._world.data.published.get((new.term, new.version)) != new:
                raise Violation(f"[{gateway.name}] took {new}, which nobody published")
            self.checks["versions never go back"] += 1
            if at and new.term == taken[at - 1].term and new.version < taken[at - 1].version:
                raise Violation(
                    f"[{gateway.name}] took version {new.version} after {taken[at - 1].version}"
                )
            if at and new.term != taken[at - 1].term and new.term in {s.term for s in taken[:at]}:
                raise Violation(f"[{gateway.name}] went back to the term [{new.term}]")
        self._judged[key] = len(taken)
        if gateway.stays_out and taken:
            raise Violation(f"[{gateway.name}] of another cluster was let in")

    def _judge_settings(self, gateway: Gateway) -> None:
        """What is in force is one published state's, above the gateway's own file."""
        current, taken = gateway.settings.current, len(gateway.taken)
        key = gateway.info.ephemeral_id
        if self._compared.get(key) == (taken, current):
            return
        self._compared[key] = (taken, current)
        self.checks["settings in force are those of one state"] += 1
        expected = in_force(gateway.taken[-1]) if gateway.taken else dict(FILE)
        if dict(current) != expected:
            raise Violation(f"[{gateway.name}] has {dict(current)} in force, not {expected}")
        aliases = [AWAY] if f"cluster.remote.{AWAY}.seeds" in expected else []
        if list(gateway.remotes.aliases()) != aliases:
            raise Violation(f"[{gateway.name}] has remotes {gateway.remotes.aliases()}: {aliases}")

    def _judge_questions(self, gateway: Gateway) -> None:
        joining = sum(
            link.owner.startswith(f"join {gateway.name}#") and not link.is_closing()
            for link in gateway.host.links.values()
        )
        if joining > _SOCKETS_TO_MASTER:
            raise Violation(f"[{gateway.name}] has {joining} connections to join by")
        self.checks["one question is open at most"] += 1
        questions = [task for task in gateway.tasks if task.action == FOLLOW]
        if len(questions) > 1:
            raise Violation(f"[{gateway.name}] has {len(questions)} open questions")

    def _judge_master(self, gateway: Gateway) -> None:
        """A master that says nothing any more is not taken for one that is there."""
        since = self._world.gone_since(self._world.data)
        if since is None:
            return
        self.checks["a master that is gone is noticed"] += 1
        began = max(since, gateway.changed_at)
        if gateway.joined.has_master and self._world.loop.time() > began + _MASTER_GONE_S:
            raise Violation(f"[{gateway.name}] has a master, which is gone since {since:.3f}")

    # -- the cluster -------------------------------------------------------------------------------

    def _judge_state(self, state: PublishedState) -> None:
        world = self._world
        self.checks["each node is a member once"] += 1
        ids = [member.node.id for member in state.members]
        if len(set(ids)) < len(ids) or state.members[0].node != world.data.info:
            raise Violation(f"the members are {ids}")
        if "id-x1" in ids:
            raise Violation("a node of another cluster is a member")

    def _judge_removed(self, before: PublishedState, after: PublishedState) -> None:
        """Nobody is removed who is well."""
        world = self._world
        now = world.loop.time()
        there = {member.node.ephemeral_id for member in after.members}
        removed = {member.node.ephemeral_id for member in before.members} - there
        for gateway in world.gateways:
            if gateway.info.ephemeral_id not in removed or world.gone_since(gateway) is not None:
                continue
            self.checks["who is well stays a member"] += 1
            since = max(world.data.changed_at, gateway.changed_at, world.copied_at(gateway))
            if not world.disturbed_since(now - _WELL_S) and now - since > _WELL_S:
                raise Violation(f"[{gateway.name}] was removed though nothing was wrong with it")

    def _judge_gone(self) -> None:
        """Who can say nothing is removed in time, and who has said goodbye at once."""
        world, data = self._world, self._world.data
        now = world.loop.time()
        members = {member.node.ephemeral_id for member in data.others}
        for gateway in world.gateways:
            is_member = gateway.info.ephemeral_id in members
            since = world.gone_since(gateway)
            if since is None or data.host.is_frozen:
                continue
            self.checks["who can say nothing is removed"] += 1
            began = max(since, data.changed_at, world.truth.paths_calm_at)
            began = max(began, world.disturbed_here(data.host.ip))
            if is_member and now > began + GONE_AFTER_S:
                raise Violation(f"[{gateway.name}] can say nothing since {since:.3f}, is a member")
            if gateway.left_at >= gateway.changed_at and not gateway.is_running:
                self._judge_left(gateway, is_member)

    def _judge_left(self, gateway: Gateway, is_member: bool) -> None:
        world = self._world
        if gateway.left_at == float("inf") or world.disturbed_since(gateway.changed_at - 20):
            return
        self.checks["who says goodbye is gone at once"] += 1
        if is_member:
            raise Violation(f"[{gateway.name}] left at {gateway.left_at:.3f} and is a member")

    def judge_acknowledged(self, state: PublishedState) -> None:
        """A change that every member has taken is in force on each, now."""
        world = self._world
        members = {member.node.ephemeral_id for member in world.data.others}
        for gateway in (*world.gateways, *world.intruders):
            if not gateway.is_running or gateway.info.ephemeral_id not in members:
                continue
            self.checks["an acknowledged change is in force"] += 1
            last = gateway.taken[-1] if gateway.taken else None
            if last is None or last.term != state.term or last.version < state.version:
                raise Violation(
                    f"[{gateway.name}] is at version {last and last.version}, though version "
                    f"{state.version} was acknowledged"
                )

    # -- in quiet times ----------------------------------------------------------------------------

    def late(self) -> str:
        """What is not yet as it must be once nothing happens any more; empty where all is."""
        world, data = self._world, self._world.data
        state = data.state
        live = [each for each in world.gateways if world.gone_since(each) is None]
        members = [member.node for member in data.others]
        expected = sorted(each.info.ephemeral_id for each in live)
        if sorted(node.ephemeral_id for node in members) != expected:
            errors = [str(each.joined.statistics()) for each in live if not each.joined.has_master]
            return f"members are {[node.ephemeral_id for node in members]}: {expected} {errors}"
        for gateway in live:
            if not gateway.joined.has_master or gateway.joined.state != state:
                taken = gateway.joined.state
                return f"[{gateway.name}] has {taken and taken.version}, not {state.version}"
        return ""

    def outside_late(self) -> str:
        """The same for the cluster that comes in from outside: it uses as many of the nodes as it may, and no
        other."""
        world = self._world
        used = [node.ephemeral_id for node in world.outside.remotes.cluster(HOME).nodes]
        there = {
            node.ephemeral_id
            for node in world.eligible()
            if not world.network.hosts[node.address.host].is_frozen
        }
        wanted = min(world.outside.node_connections, len(there))
        if len(used) < wanted or not set(used) <= there:
            return f"outside uses {used} of {sorted(there)}"
        return ""


def in_force(state: PublishedState) -> dict[str, object]:
    """All settings of a gateway that has taken `state`."""
    return {**FILE, **state.persistent, **state.transient}
