"""The warm parent of every job: imports torch once, forks a child a job, watches it and says how it ended."""
