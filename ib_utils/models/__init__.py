"""The architectures that the chapters talk about, as plain ``torch.nn.Module``; one module a family."""

from ib_utils.models.averaged_sgd import averaged_sgd
from ib_utils.models.branches import BranchNetwork, branch_kernel
from ib_utils.models.causal import CausalGRU
from ib_utils.models.cubic_filters import CubicFilters, alignments
from ib_utils.models.denoiser import PromptedDenoiser, add_noise, generate
from ib_utils.models.dense import MLP, LogisticRegression
from ib_utils.models.factorised import (
    best_rank_fit,
    direct_path,
    factorised_path,
    layered_path,
    minimum_trace,
    nearest_approach,
    sigmoidal_mode,
    small_factors,
)
from ib_utils.models.feature_sieve import SievedMLP, sieve_loss
from ib_utils.models.fixed_readout import FixedReadout, hinge, part_norms
from ib_utils.models.gpt import GPT, string_log_probability
from ib_utils.models.gradient_adjustment import adjustment_matrix, inductive_adjustment, random_rotation
from ib_utils.models.group_logistic import LogisticPath, calibrated_shift, held_out_logits, logistic_path
from ib_utils.models.kernels import Kernels, dense_kernels, dual, local_kernels, residual_flow
from ib_utils.models.local import (
    Convolution,
    ConvolutionalNetwork,
    LocallyConnected,
    LocallyConnectedNetwork,
)
from ib_utils.models.monotone import MonotoneMLP, SignedLinear
from ib_utils.models.patches import TemplateNetwork, soft_threshold
from ib_utils.models.periodic import ActivationMLP, snake
from ib_utils.models.random_features import DeepRandomFeatures, gaussian_parts
from ib_utils.models.random_functions import FourierNetworks, RandomNetworks, grid_points
from ib_utils.models.random_layers import sample_grams, sample_variances
from ib_utils.models.recurrent import GRUClassifier
from ib_utils.models.table_network import DiagonalNetwork, TableNetwork
from ib_utils.models.two_layer import paired_weights, two_layer_kernel, two_layer_ntk, two_layer_path
from ib_utils.models.wide import WideNetwork

__all__ = [
    "GPT",
    "MLP",
    "ActivationMLP",
    "BranchNetwork",
    "CausalGRU",
    "Convolution",
    "ConvolutionalNetwork",
    "CubicFilters",
    "DeepRandomFeatures",
    "DiagonalNetwork",
    "FixedReadout",
    "FourierNetworks",
    "GRUClassifier",
    "Kernels",
    "LocallyConnected",
    "LocallyConnectedNetwork",
    "LogisticPath",
    "LogisticRegression",
    "MonotoneMLP",
    "PromptedDenoiser",
    "RandomNetworks",
    "SievedMLP",
    "SignedLinear",
    "TableNetwork",
    "TemplateNetwork",
    "WideNetwork",
    "add_noise",
    "adjustment_matrix",
    "alignments",
    "averaged_sgd",
    "best_rank_fit",
    "branch_kernel",
    "calibrated_shift",
    "dense_kernels",
    "direct_path",
    "dual",
    "factorised_path",
    "gaussian_parts",
    "generate",
    "grid_points",
    "held_out_logits",
    "hinge",
    "inductive_adjustment",
    "layered_path",
    "local_kernels",
    "logistic_path",
    "minimum_trace",
    "nearest_approach",
    "paired_weights",
    "part_norms",
    "random_rotation",
    "residual_flow",
    "sample_grams",
    "sample_variances",
    "sieve_loss",
    "sigmoidal_mode",
    "small_factors",
    "snake",
    "soft_threshold",
    "string_log_probability",
    "two_layer_kernel",
    "two_layer_ntk",
    "two_layer_path",
]
