"""The engine that makes an augmented set on Ray."""
