"""The architectures that the chapters talk about, as plain ``torch.nn.Module``; one module a family."""

from ib_utils.models.dense import MLP, LogisticRegression
from ib_utils.models.local import (
    Convolution,
    ConvolutionalNetwork,
    LocallyConnected,
    LocallyConnectedNetwork,
)
from ib_utils.models.recurrent import GRUClassifier

__all__ = [
    "MLP",
    "Convolution",
    "ConvolutionalNetwork",
    "GRUClassifier",
    "LocallyConnected",
    "LocallyConnectedNetwork",
    "LogisticRegression",
]
