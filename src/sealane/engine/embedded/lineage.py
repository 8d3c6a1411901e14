"""Under which name and term a shard's history goes on, and which it continues. Durable in the operation log's facts."""

from collections.abc import Sequence

import msgspec

from sealane.clock import Ids
from sealane.engine.embedded.oplog import NONE, OperationLogFile
from sealane.model.replication import Ancestor

_ANCESTORS = msgspec.json.Decoder(tuple[Ancestor, ...])


class Lineage:
    """Written under the shard's lock. A term is never lower than that of any operation the shard has had."""

    def __init__(self, log: OperationLogFile, ids: Ids) -> None:
        """Begins a history in an empty log. One that was not closed cleanly goes on under a higher term."""
        self._log = log
        self._ids = ids
        uuid = log.fact("history_uuid")
        if uuid is None:
            self.uuid, self.term = ids.new(), 1
            self.ancestors: tuple[Ancestor, ...] = ()
            log.set_facts(
                history_uuid=self.uuid, primary_term=1, committed=NONE, floor=0, is_clean=0
            )
            return
        term = log.number("primary_term")
        self.uuid = str(uuid)
        self.term = term if log.fact("is_clean") else term + 1
        self.ancestors = _ANCESTORS.decode(str(log.fact("ancestors")))
        log.set_facts(primary_term=self.term, is_clean=0)

    def adopt(self, uuid: str, ancestors: Sequence[Ancestor]) -> None:
        """The shard's operations are a prefix of that history."""
        self._log.set_facts(**lineage_facts(uuid, ancestors))
        self.uuid, self.ancestors = uuid, tuple(ancestors)

    def begin(self, checkpoint: int) -> None:
        """Goes on under a new name; what there is up to `checkpoint` is common to both."""
        uuid, term = self._ids.new(), self.term + 1
        ancestors = (Ancestor(self.uuid, checkpoint), *self.ancestors)
        self._log.set_facts(primary_term=term, **lineage_facts(uuid, ancestors))
        self.uuid, self.term, self.ancestors = uuid, term, ancestors


def lineage_facts(uuid: str, ancestors: Sequence[Ancestor]) -> dict[str, str]:
    return {"history_uuid": uuid, "ancestors": msgspec.json.encode(tuple(ancestors)).decode()}
