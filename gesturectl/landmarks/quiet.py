"""Keep the libraries under the landmarkers from talking on stderr, and from writing to disk."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

log = logging.getLogger(__name__)


def _in_memory() -> IO[bytes]:
    """Return a file that touches no disk where the system has such: a daemon writes nowhere else
    than in its own folders.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b", buffering=0)
    return tempfile.TemporaryFile()


# What MediaPipe and TensorFlow Lite print on every start; no setting of theirs stops it.
_CHATTER = re.compile(
    rb"Created TensorFlow Lite XNNPACK delegate"
    rb"|Logging before InitGoogle\(\)|All log messages before absl::InitializeLog"
    rb"|inference_feedback_manager\.cc"
    rb"|landmark_projection_calculator\.cc"
    rb"|has an unaligned buffer"
)


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Hold stderr back while models load, then pass on every line that is not known chatter."""
    try:
        sys.stderr.flush()
        real = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no stderr: a program without a console
        yield
        return
    with _in_memory() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            for line in held:
                if not _CHATTER.search(line):
                    os.write(2, line)
                else:
                    log.debug("%s", line.decode("utf-8", "replace").strip())
