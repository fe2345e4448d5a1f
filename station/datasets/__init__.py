"""Training sets from episodes: what is chosen, how it is converted, formats and engines, and what was made read back."""
