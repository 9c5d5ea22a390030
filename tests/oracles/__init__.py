"""Tests against independent truths: pycocotools, OpenCV, Pillow, NumPy's Philox, pictures and plain loops."""
