"""Other people's libraries, measured next to ours in an environment of their own: `make bench-peers`."""
