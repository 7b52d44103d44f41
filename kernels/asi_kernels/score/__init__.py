"""Answers the judge with a trained candidate's predictions, in a process of its own with fresh models."""
