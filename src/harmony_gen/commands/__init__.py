"""The commands of `harmony-gen`, one module each: `add` says what a command takes and what runs it."""
