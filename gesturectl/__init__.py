"""Control keyboard and mouse by gestures seen through a webcam."""

__version__ = "0.1.0"
