"""Measures a trained candidate on held-out data, in a process of its own with fresh models."""
