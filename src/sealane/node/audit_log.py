"""Where the audit log goes: a file in `path.logs`, else stderr with other logs. `security.audit` makes the lines."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from sealane.clock import Clock
from sealane.errors import SettingsError
from sealane.security.audit import Audit
from sealane.settings import Settings
from sealane.settings import node_settings as keys
from sealane.settings.audit_settings import AUDIT_ENABLED, PATH_LOGS, wanted_events

_log = logging.getLogger("sealane.audit")
_FILE_MAX_BYTES: Final = 1 << 30
"""As the reference: a gigabyte a file."""
_FILES: Final = 10


def open_audit(settings: Settings, node_id: str, clock: Clock, stack: AsyncExitStack) -> Audit:
    """The node's audit log, closed with `stack`. Raises SettingsError where its file cannot be written."""
    write = _log.info
    if AUDIT_ENABLED.get(settings) and PATH_LOGS.is_set(settings):
        write = _file(settings, stack)
    audit = Audit(
        wanted=wanted_events(settings),
        node_id=node_id,
        now_ms=clock.now_ms,
        write=lambda line: write("%s", line),
    )
    stack.callback(audit.close)
    return audit


def _file(settings: Settings, stack: AsyncExitStack) -> Callable[..., None]:
    """What writes a line into a logger of this node's own: two nodes of a process have two files."""
    from sealane.node.private_log import PrivateFileHandler  # takes 10 ms to import

    folder = Path(PATH_LOGS.get(settings)).expanduser()
    path = folder / f"{keys.CLUSTER_NAME.get(settings)}_audit.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = PrivateFileHandler(
            path, maxBytes=_FILE_MAX_BYTES, backupCount=_FILES, encoding="ascii"
        )
    except OSError as error:
        raise SettingsError(f"cannot write the audit log [{path}]: {error.strerror}") from error
    stack.callback(handler.close)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("sealane.audit")
    logger.addHandler(handler)
    return logger.info
