"""What is measured on functions, features, weights and learning curves: a function in, numbers out."""

from ib_utils.measures.learning_curves import data_factor, examples_needed

__all__ = ["data_factor", "examples_needed"]
