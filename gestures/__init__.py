"""The catalog, the shipped profiles and the shipped models; installed as ``gesturectl.gestures``."""
