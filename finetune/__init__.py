"""Recipes for training models that answer in a schema."""
