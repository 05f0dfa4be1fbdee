"""The notebook's side: cell and line magics, and what they show."""
