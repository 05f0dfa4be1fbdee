"""Answers for editors and notebooks: pure functions from a document and a position."""
