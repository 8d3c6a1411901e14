"""An index as the administration shows it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sealane.cluster.metadata import IndexMetadata
from sealane.settings import Settings
from sealane.settings.index_settings import INDEX_REGISTRY


class IndexView:
    """A view of one IndexMetadata; JSON is built when it is asked for."""

    __slots__ = ("metadata",)

    def __init__(self, metadata: IndexMetadata) -> None:
        self.metadata = metadata

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
        return found

    def default_settings(self) -> Settings:
        """What is in force without having been set."""
        return INDEX_REGISTRY.defaults(self.metadata.settings)
