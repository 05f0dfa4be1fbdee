"""From IR to IR: the pullback, and what simplifies it."""
