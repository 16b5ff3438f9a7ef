"""The catalog, the shipped profiles and models; installed as ``gesturectl.gestures``."""
