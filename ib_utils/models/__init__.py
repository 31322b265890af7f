"""The architectures that the chapters talk about, as plain ``torch.nn.Module``; one module a family."""

from ib_utils.models.averaged_sgd import averaged_sgd
from ib_utils.models.causal import CausalGRU
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
from ib_utils.models.gpt import GPT, string_log_probability
from ib_utils.models.kernels import Kernels, dense_kernels, dual, local_kernels, residual_flow
from ib_utils.models.local import (
    Convolution,
    ConvolutionalNetwork,
    LocallyConnected,
    LocallyConnectedNetwork,
)
from ib_utils.models.monotone import MonotoneMLP, SignedLinear
from ib_utils.models.patches import TemplateNetwork, soft_threshold
from ib_utils.models.random_features import DeepRandomFeatures, gaussian_parts
from ib_utils.models.random_functions import FourierNetworks, RandomNetworks, grid_points
from ib_utils.models.random_layers import sample_grams, sample_variances
from ib_utils.models.recurrent import GRUClassifier
from ib_utils.models.table_network import DiagonalNetwork, TableNetwork
from ib_utils.models.wide import WideNetwork

__all__ = [
    "GPT",
    "MLP",
    "CausalGRU",
    "Convolution",
    "ConvolutionalNetwork",
    "DeepRandomFeatures",
    "DiagonalNetwork",
    "FourierNetworks",
    "GRUClassifier",
    "Kernels",
    "LocallyConnected",
    "LocallyConnectedNetwork",
    "LogisticRegression",
    "MonotoneMLP",
    "RandomNetworks",
    "SignedLinear",
    "TableNetwork",
    "TemplateNetwork",
    "WideNetwork",
    "averaged_sgd",
    "best_rank_fit",
    "dense_kernels",
    "direct_path",
    "dual",
    "factorised_path",
    "gaussian_parts",
    "grid_points",
    "layered_path",
    "local_kernels",
    "minimum_trace",
    "nearest_approach",
    "residual_flow",
    "sample_grams",
    "sample_variances",
    "sigmoidal_mode",
    "small_factors",
    "soft_threshold",
    "string_log_probability",
]
