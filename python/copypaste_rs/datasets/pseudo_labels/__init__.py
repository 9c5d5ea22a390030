"""Pseudo-labels: results of a model on images without annotations, made into a training set.

- ``rules``: thresholds and limits, checked
- ``images``: the images and categories that results are of
- ``reading``: results read as far as their scores are high enough
- ``cleaning``: masks of one image, without small parts, small objects and duplicates
- ``rounds``: pseudo-labels of an earlier round
- ``making``: all of it put together, as tables
- ``counts``: what became of each result, by class and reason
- ``labels``: `PseudoLabels`
"""
