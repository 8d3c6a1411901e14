"""The families that there are, and which one a frame belongs to."""

from collections.abc import Mapping

from sealane.wire.families.elasticsearch import ELASTICSEARCH
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import ForeignWire, Wire
from sealane.wire.families.sealane import SEALANE

FOREIGN: tuple[ForeignWire, ...] = (ELASTICSEARCH, OPENSEARCH)
"""In the order in which their first requests are tried: a peer that cannot read one closes the
connection."""

WIRES: Mapping[int, Wire] = {wire.version: wire for wire in (SEALANE, ELASTICSEARCH, OPENSEARCH)}
"""By the version id of their frames."""

PRODUCTS: Mapping[str, str] = {wire.name: wire.product for wire in WIRES.values()}
"""By the name of the family, for people."""
