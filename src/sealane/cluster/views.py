"""An index as the administration shows it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.visible_mapping import visible_mapping
from sealane.model.security import IndexLimits
from sealane.settings import Settings
from sealane.settings.index_settings import INDEX_REGISTRY


class IndexView:
    """A view of one IndexMetadata; JSON is built when it is asked for. `limits` are what may be seen of the index,
    `reached` the names by which whoever asks came to it, none where nobody's rights decide; `data_stream` is what it is
    a backing index of.
    """

    __slots__ = ("data_stream", "limits", "metadata", "reached")

    def __init__(
        self,
        metadata: IndexMetadata,
        limits: IndexLimits | None = None,
        reached: tuple[str, ...] = (),
        data_stream: str | None = None,
    ) -> None:
        self.data_stream = data_stream
        self.metadata = metadata
        self.limits = limits
        self.reached = reached

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def uuid(self) -> str:
        return self.metadata.uuid

    @property
    def shards(self) -> int:
        return self.metadata.shards

    @property
    def replicas(self) -> int:
        return self.metadata.replicas

    @property
    def created_ms(self) -> int:
        return self.metadata.creation_date

    @property
    def open(self) -> bool:
        return self.metadata.open

    @property
    def settings(self) -> Settings:
        """Flat, with `index.` before them: what was set, and what every index has."""
        return self.metadata.settings

    @property
    def aliases(self) -> Mapping[str, Mapping[str, Any]]:
        """By name, as `GET _alias` shows them."""
        return {name: alias.to_json() for name, alias in sorted(self.metadata.aliases.items())}

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The JSON below `mappings`."""
        found: Mapping[str, Any] = msgspec.json.decode(self.metadata.mapping_json)
        fields = None if self.limits is None else self.limits.fields
        return found if fields is None else visible_mapping(found, fields)

    @property
    def whole_mapping(self) -> Mapping[str, Any]:
        """The same with what is hidden, for what is not shown."""
        found: Mapping[str, Any] = msgspec.json.decode(self.metadata.mapping_json)
        return found

    def default_settings(self) -> Settings:
        """What is in force without having been set."""
        return INDEX_REGISTRY.defaults(self.metadata.settings)
