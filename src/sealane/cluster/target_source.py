"""How the name of a document's index becomes that index, as reading and writing documents needs it."""

from typing import Protocol

from sealane.cluster.catalog import DataStream
from sealane.cluster.metadata import IndexMetadata
from sealane.model.security import IndexLimits


class Target(Protocol):
    """One concrete index. `routing` is what the alias that led here demands, None for nothing."""

    @property
    def name(self) -> str: ...
    @property
    def uuid(self) -> str: ...
    @property
    def shards(self) -> int: ...
    @property
    def replicas(self) -> int: ...
    @property
    def routing(self) -> str | None: ...
    @property
    def limits(self) -> IndexLimits | None: ...
    @property
    def metadata(self) -> IndexMetadata: ...
    @property
    def asked(self) -> str: ...
    @property
    def stream(self) -> DataStream | None: ...
    @property
    def names_judged(self) -> tuple[str, ...]: ...


class TargetSource(Protocol):
    """How a name becomes the one index to write to or to read from."""

    async def write_target(
        self,
        name: str,
        *,
        require_alias: bool,
        auto_create: bool,
        require_data_stream: bool = False,
    ) -> Target:
        """An index, an alias's write index, or one made for the purpose. Raises IndexNotFound,
        InvalidIndexName, ...
        """

    def read_target(self, name: str) -> Target:
        """Raises IndexNotFound, and IllegalArgument for an alias of several indices."""
