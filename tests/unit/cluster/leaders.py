"""Leader indices as another cluster would describe them, and what a follower keeps of them."""

import json
from typing import Any

import msgspec

from sealane.cluster.metadata import IndexMetadata
from sealane.model.replication import (
    NO_OPERATIONS,
    Following,
    FollowState,
    LeaderAlias,
    LeaderIndex,
)
from tests.unit.cluster.index_node import Node, properties

MARKER = "index.xpack.ccr.following_index"


def leader(**members: Any) -> LeaderIndex:
    settings = {"index.number_of_shards": "1", **members.pop("settings", {})}
    mapping = members.pop("mapping", properties(f="keyword"))
    known: dict[str, Any] = {
        "name": "lead",
        "uuid": "leader-uuid",
        "mapping_version": 1,
        "settings_version": 1,
        "aliases_version": 1,
        "aliases": {},
        "settings": settings,
        "mapping": mapping if isinstance(mapping, bytes) else json.dumps(mapping).encode(),
    }
    return LeaderIndex(**{**known, **members})


def following(of: LeaderIndex, **members: Any) -> Following:
    known: dict[str, Any] = {
        "remote_cluster": "eu",
        "leader_index": of.name,
        "leader_uuid": of.uuid,
        "history_uuids": ("h",) * of.shards,
    }
    return Following(**{**known, **members})


FILTERED = LeaderAlias(filter='{"term":{"f":"x"}}', index_routing="1", search_routing="1,2")


async def follower(node: Node, name: str = "f", **members: Any) -> IndexMetadata:
    lead = leader(**members)
    return await node.indices.followed.create_follower(name, lead, {}, following(lead))


def paused(each: Any) -> Any:
    return msgspec.structs.replace(each, state=FollowState.PAUSED)


def whole(each: Any) -> Any:
    return msgspec.structs.replace(each, copy_to=(NO_OPERATIONS,) * len(each.copy_to))
