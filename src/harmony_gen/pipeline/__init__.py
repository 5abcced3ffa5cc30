"""Many inputs: extraction into a file that survives crashes, its validation, and how fast a machine is."""
