"""The mixers of a trial in a process of their own: that process, its link to the trainer, the memory between them."""
