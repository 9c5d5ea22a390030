"""Albumentations and AlbumentationsX: pipelines with boxes, masks and label fields."""
