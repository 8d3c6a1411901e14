"""Errors of copying indices: histories, retention leases, followers."""

from collections.abc import Sequence

from sealane.errors.base import ApiError
from sealane.errors.clusters import IllegalState
from sealane.errors.documents import ResourceAlreadyExists, ResourceNotFound


class StatusError(ApiError):
    """An error that is known by its status alone."""

    es_type = "status_exception"

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class SnapshotRestore(ApiError):
    """A new follower cannot have the name: the reference restores followers as it does snapshots."""

    es_type, status = "snapshot_restore_exception", 500


class TaskAlreadyExists(ResourceAlreadyExists):
    """A shard is followed already. `task` is the follower's uuid, a dash and the shard's number."""

    def __init__(self, task: str) -> None:
        ApiError.__init__(self, f"task with id {{{task}}} already exist")


class FollowingEngine(ApiError):
    """A write to a follower that does not come from its leader."""

    es_type, status = "status_exception", 403

    def __init__(self) -> None:
        super().__init__(
            "a following engine does not accept operations without an assigned sequence number"
        )


class UnexpectedHistory(IllegalState):
    """A shard has another history than the follower knows: the two must not be mixed."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(
            f"unexpected history uuid, expected [{expected}], actual [{actual}], shard is likely restored from "
            "snapshot or force allocated"
        )


class HistoryDiverged(IllegalState):
    """Leader and follower disagree on an operation under one history uuid: one of them came from an old copy."""

    def __init__(self, seq_no: int, expected: str, actual: str) -> None:
        super().__init__(
            f"the histories of leader and follower have parted: operation [{seq_no}] is [{expected}] at the "
            f"follower and [{actual}] at the leader, so the data of one of them is an older copy; close the follower "
            "and follow again to copy the leader anew"
        )


class OperationsMissing(ResourceNotFound):
    """Operations that a follower needs have been discarded."""

    def __init__(self, from_seq_no: int, to_seq_no: int, leases: Sequence[str] = ()) -> None:
        super().__init__(
            f"Operations are no longer available for replicating. Existing retention leases [{', '.join(leases)}]; "
            "maybe increase the retention lease period setting [index.soft_deletes.retention_lease.period]?"
        )
        self.metadata["es.requested_operations_missing"] = [str(from_seq_no), str(to_seq_no)]


class LeaseAlreadyExists(ResourceAlreadyExists):
    es_type, status = "retention_lease_already_exists_exception", 400

    def __init__(self, lease_id: str) -> None:
        ApiError.__init__(self, f"retention lease with ID [{lease_id}] already exists")


class LeaseNotFound(ResourceNotFound):
    es_type, status = "retention_lease_not_found_exception", 404

    def __init__(self, lease_id: str) -> None:
        super().__init__(f"retention lease with ID [{lease_id}] not found")


class LeaseInvalid(ApiError):
    """A renewal that would retain less history than was already given up."""

    es_type, status = "retention_lease_invalid_retaining_seq_no_exception", 500

    def __init__(self, lease_id: str, source: str, held: int, wanted: int) -> None:
        super().__init__(
            f"the current retention lease with [{lease_id}] is retaining a higher sequence number [{held}] than the "
            f"new retaining sequence number [{wanted}] from [{source}]"
        )


class ShardNotFound(ResourceNotFound):
    """A shard number that the index does not have."""

    es_type, status = "shard_not_found_exception", 404

    def __init__(self, index: str, uuid: str, shard: int) -> None:
        super().__init__("no such shard")
        self.metadata |= {"index_uuid": uuid, "shard": str(shard), "index": index}
