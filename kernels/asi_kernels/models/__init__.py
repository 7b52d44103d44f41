"""The language model that is built around a mixer."""
