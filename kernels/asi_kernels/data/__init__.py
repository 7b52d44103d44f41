"""Training and held-out data: text split by file, recall and copy sequences, all fixed by seed and by nothing of the
model.
"""
