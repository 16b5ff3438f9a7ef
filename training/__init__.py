"""The pipeline that makes the shipped models: data, synthesis, training, export, evaluation.

Run from a checkout (`python -m training.train`); the daemon never imports it.
"""
