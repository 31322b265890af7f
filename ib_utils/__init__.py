"""Models, data, measures, training and claims shared by the chapters of *Inductive Biases: an executable atlas*."""

__version__ = "0.1.0"
