"""The mixers of a trial in a process of their own: that process, the link to it, the memory between them."""
