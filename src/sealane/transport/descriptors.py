"""How many files and sockets this process may have open.

A remote cluster takes up to 18 sockets, an index about six files: a hundred remotes need more than
the 1,024 that many systems allow at first.
"""

import logging
import resource
from typing import Final

_log = logging.getLogger(__name__)

WANTED: Final = 4096
"""Enough for a hundred remotes, and as many sockets accepted, and the files of some indices."""


def allow_open_files() -> int:
    """Takes as many as the system lets this process have, and returns how many.

    Warns, with what to do, where they are fewer than WANTED.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = soft
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            allowed = hard
        except (ValueError, OSError) as error:
            # Some systems allow less than the limit that they name.
            _log.warning("cannot raise the limit of open files from [%d]: %s", soft, error)
    if allowed != resource.RLIM_INFINITY and allowed < WANTED:
        _log.warning(
            "this process may open [%d] files and sockets, a node with many remote clusters needs "
            "[%d]: raise the limit (ulimit -n %d, LimitNOFILE=%d in a systemd unit, "
            "--ulimit nofile=%d for a container)",
            *(allowed, WANTED, WANTED, WANTED, WANTED),
        )
    return allowed
