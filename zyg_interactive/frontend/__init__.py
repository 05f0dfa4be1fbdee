"""From Python text to IR."""
