"""Training of one candidate on the tasks of a rung, resumable to the bit."""
