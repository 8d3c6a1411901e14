"""Why a node does not start, where that is how it is configured."""


class StartError(Exception):
    """The node may not start as it is configured. The message says what to change."""
