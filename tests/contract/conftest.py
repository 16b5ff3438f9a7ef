"""The desktop of the end-to-end tests, for the contracts that need one."""

from tests.e2e.conftest import desktop, listener, sway, x_desktop

__all__ = ["desktop", "listener", "sway", "x_desktop"]
