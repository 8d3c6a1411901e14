"""A log file that only its owner may read: also the next one, after it has become too large."""

import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler


class PrivateFileHandler(RotatingFileHandler):
    """Raises OSError, as its base, where the file cannot be opened."""

    def _open(self) -> TextIOWrapper:
        number = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(number, "a", encoding=self.encoding, errors=self.errors)
