"""From IR to Python: one emitter builds the syntax tree that is compiled and shown."""
