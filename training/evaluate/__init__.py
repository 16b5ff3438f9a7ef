"""Measure what the recogniser can do: `python -m training.evaluate NAME --data DIR [--json]`.

One module a measure; each counts whole events as a user meets them, not frames, and says how
sure its figures are. `metrics` is what they share, `outcome` how they report.
"""
