"""Runs the production code of remote, transport and wire in a world where time, network and faults
are drawn from a seed. docs/simulation.md says how to use it.
"""

from sealane.testing.simulation.loop import Hang, SimulatedLoop, in_virtual_time, settle, simulate
from sealane.testing.simulation.network import Host, SimulatedNetwork
from sealane.testing.simulation.run import Report, run_members_seed, run_seed
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation

__all__ = [
    "Hang",
    "Host",
    "Report",
    "SimulatedLoop",
    "SimulatedNetwork",
    "Trace",
    "Violation",
    "in_virtual_time",
    "run_members_seed",
    "run_seed",
    "settle",
    "simulate",
]
