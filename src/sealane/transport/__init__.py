"""Bytes to handlers: connections between nodes over asyncio, with or without TLS.

The names that other packages use. What the bytes mean is `sealane.wire`'s, what the actions do
their handlers'.
"""

from sealane.transport.connection import NodeConnection
from sealane.transport.faults import format_time
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.network import AsyncioNetwork, Listener, Network
from sealane.transport.service import TransportService
from sealane.transport.statistics import ConnectionStatistics, TransportStatistics
from sealane.transport.tasks import TaskScope

__all__ = [
    "AsyncioNetwork",
    "ConnectionProfile",
    "ConnectionStatistics",
    "Listener",
    "Network",
    "NodeConnection",
    "TaskScope",
    "TransportLimits",
    "TransportService",
    "TransportStatistics",
    "format_time",
]
