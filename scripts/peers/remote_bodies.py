"""What the duel of remote clusters sends to `PUT /_cluster/settings`."""

from scripts.peers import remote_rules, remote_values
from scripts.peers.remote_change import Change


def changes() -> list[Change]:
    """All of them, each with a name of its own."""
    return [*remote_values.changes(), *remote_rules.changes()]
