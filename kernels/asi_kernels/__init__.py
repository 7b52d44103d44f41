"""Checks, trains and scores sequence mixers. Importing it is light: torch is loaded by the command that needs it."""

__version__ = "0.1.0"
