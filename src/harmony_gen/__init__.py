"""Structured output from local language models."""
