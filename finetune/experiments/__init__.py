"""Experiments, each with what it is to find out."""
