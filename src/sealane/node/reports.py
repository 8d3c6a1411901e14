"""What a node says of itself in `_nodes/stats`, `_cluster/stats` and `_remote/info?nodes=_all`: which part of it knows
which section.
"""

from collections.abc import Callable
from typing import Any, Final

from sealane.cluster.followed_settings import FollowedSettings
from sealane.cluster.joined import Joined
from sealane.cluster.machine import Machine
from sealane.cluster.membership import Membership
from sealane.cluster.node_reports import NodeReport
from sealane.cluster.task_lists import TASKS, running_tasks
from sealane.model.usage import SearchUsage
from sealane.node.base import Base
from sealane.remote import RemoteClusters
from sealane.rest.handlers.cat_nodes import LOAD
from sealane.rest.handlers.remote import REMOTE_INFO, REMOTE_INFO_VERBOSE
from sealane.rest.handlers.stats import USAGE
from sealane.rest.load import machine_load
from sealane.search.cluster_stats import ClusterTotals
from sealane.search.node_sections import remote_clusters_section, transport_section
from sealane.search.shard_phases import SearchContexts

_NO_QUEUE: Final = {"total": 0, "pending": 0, "committed": 0}
"""A state is taken the moment it comes."""


def report_node(base: Base, remotes: RemoteClusters, usage: SearchUsage) -> None:
    """The sections of every node."""
    machine = Machine(base.folder.path, base.clock)
    sections: dict[str, Any] = {
        "os": machine.os,
        "os_info": machine.os_info,
        "process": machine.process,
        "fs": machine.fs,
        "transport": lambda: transport_section(base.transport.statistics()),
        "http": base.http_section,
        "certificates": base.tls.watch.section,
        "remote_clusters": lambda: remote_clusters_section(remotes),
        REMOTE_INFO: lambda: remotes.describe(),
        REMOTE_INFO_VERBOSE: lambda: remotes.describe(verbose=True),
        USAGE: lambda: usage,
        LOAD: machine_load,
        TASKS: lambda: running_tasks(base.tasks, base.clock),
    }
    for name, section in sections.items():
        base.report.add(name, section)


def report_indices(
    report: NodeReport, totals: ClusterTotals, contexts: Callable[[], SearchContexts]
) -> None:
    """The section of a node that holds data. `contexts` are those open now."""

    async def indices() -> dict[str, Any]:
        figures = (await totals.index_totals()).to_json()
        now = contexts()
        figures["search"] = {"open_contexts": now.open, "scroll_current": now.scrolls}
        return figures

    report.add("indices", indices)


def report_membership(report: NodeReport, membership: Membership) -> None:
    """The section `discovery` of the node that is the master."""

    def discovery() -> dict[str, Any]:
        state = membership.state
        published = {
            "version": state.version if state else 0,
            "members": len(state.members) if state else 0,
        }
        return {"cluster_state_queue": _NO_QUEUE, "published": published}

    report.add("discovery", discovery)


def report_following(report: NodeReport, joined: Joined, settings: FollowedSettings) -> None:
    """The section `discovery` of a node that has joined another, or tries to."""

    def discovery() -> dict[str, Any]:
        now = joined.statistics()
        following: dict[str, Any] = {
            "joined": now.joined,
            "rounds": now.rounds,
            "joins": now.joins,
            "version": now.version,
        }
        if now.last_error is not None:
            following["last_error"] = now.last_error.to_cause()
        if settings.last_error is not None:
            following["settings_error"] = settings.last_error.to_cause()
        return {"cluster_state_queue": _NO_QUEUE, "following": following}

    report.add("discovery", discovery)
