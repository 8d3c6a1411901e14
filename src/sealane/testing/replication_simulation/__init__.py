"""Runs the production code of replication between clusters whose disks, clocks, links and users are drawn from a seed.

docs/simulation.md says how to use it.
"""

from sealane.testing.replication_simulation.run import run_replication_seed

__all__ = ["run_replication_seed"]
