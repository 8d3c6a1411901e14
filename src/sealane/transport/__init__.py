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
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.transport.tls_files import TlsFiles
from sealane.transport.watch import UNWATCHED, Step, Watch

__all__ = [
    "UNWATCHED",
    "AsyncioNetwork",
    "ConnectionProfile",
    "ConnectionStatistics",
    "Listener",
    "Network",
    "NodeConnection",
    "Step",
    "TaskScope",
    "TlsFailure",
    "TlsFiles",
    "TlsProblem",
    "TransportLimits",
    "TransportService",
    "TransportStatistics",
    "Watch",
    "format_time",
]
