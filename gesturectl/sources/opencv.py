"""OpenCV without its noise: import `cv2` from here.

OpenCV and the FFmpeg inside it write to the standard error output of the process what a source
reports properly as an exception or a `problem`. Both read these variables once, early.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
# Without it a camera that stops sending blocks its reader for ten seconds.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

import cv2

# Where something else imported cv2 before us, the first variable came too late.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
