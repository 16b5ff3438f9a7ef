"""Which window is active, per platform."""
