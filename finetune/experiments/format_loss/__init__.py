"""Does the format-compliance loss teach the format? See `run`."""
