"""Strings: regular expressions, formats, and sets of strings closed under and, or, not."""
