"""The benchmark suite: `python -m benches`."""
