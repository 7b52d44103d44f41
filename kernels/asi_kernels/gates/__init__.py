"""Executable legality of a mixer: what must hold before a program is worth training, and the command that checks it.

Each gate is one module with one function; `check.run` puts them together. Gates are evidence about the program as
written, found by running it on chosen inputs. They are no wall against a program that means to deceive: the wall is
the sandbox, and the judge that scores prefixes. What no gate here sees: triggers that no probe input meets, and
whatever a program does only after the check is over.
"""
