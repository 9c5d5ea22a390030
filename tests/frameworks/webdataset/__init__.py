"""WebDataset: tar files written and read by it, streams with and without worker processes."""
