"""The judge: asks a candidate's process for predictions and measures them. No candidate byte is imported here."""
