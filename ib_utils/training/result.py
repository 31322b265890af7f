"""What training returns, and how it is kept."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """What ``train`` returns.

    Attributes:
        history: one row a member and recorded step: member, seed, n_train, learning_rate, further labels, step, and
            train_loss, test_loss (and train_accuracy, test_accuracy for class labels). Training scores are taken on
            all training examples up to 1000 or the size of the test set, whichever is more; of a larger set on that
            many random ones. A member that diverged ends in a row without scores at the step at which it did; one
            that stopped early ends in the row at which it did.
        modules: the members as ordinary modules.
        snapshots: step -> name -> stacked tensor ``(member, *shape)``, at the steps that were asked for.
        seconds, device, strategy: how it was run.
    """

    history: "pd.DataFrame"
    modules: list[nn.Module] = field(repr=False)
    snapshots: Mapping[int, Mapping[str, Tensor]]
    seconds: float
    device: str
    strategy: str

    @property
    def final(self) -> "pd.DataFrame":
        """The last recorded row of each member, in the order of the members."""
        return self.history.groupby("member", sort=True).tail(1).set_index("member").sort_index()

    @property
    def final_scores(self) -> dict[str, Float[Tensor, " member"]]:
        """The scores of :attr:`final` as tensors, one value a member."""
        final = self.final
        return {name: torch.tensor(final[name].to_numpy()) for name in final if name.startswith(("train_", "test_"))}

    @property
    def parameters(self) -> dict[str, Float[Tensor, "member ..."]]:
        """The trained parameters of all members, stacked, by name."""
        return stack_parameters(self.modules)

    def member(self, i: int) -> nn.Module:
        """Member ``i`` as an ordinary module with its trained parameters."""
        return self.modules[i]

    @torch.no_grad()
    def outputs(self, x: Float[Tensor, "batch ..."], *, step: int | None = None) -> Float[Tensor, "member batch ..."]:
        """Outputs of all members on the same inputs, after training or at a snapshot.

        Args:
            x: inputs, taken to the members' device and type.
            step: one of :attr:`snapshots`; None: after training.

        Raises:
            ValueError: no snapshot was taken at that step.
        """
        if step is not None and step not in self.snapshots:
            raise ValueError(f"no snapshot at step {step}; there are {list(self.snapshots)}")
        state = self.parameters if step is None else self.snapshots[step]
        first = next(iter(state.values()))
        x = x.to(first.device, first.dtype)
        outputs = []
        for i, module in enumerate(self.modules):
            was_training = module.training
            own = {name: value[i] for name, value in state.items()}
            outputs.append(functional_call(module.eval(), own, (x,)))
            module.train(was_training)
        return torch.stack(outputs)

    def save(self, path: str | Path) -> None:
        """Keep the run in one safetensors file: history, parameters, buffers and snapshots.

        Args:
            path: the file; it appears only when it is whole.
        """
        from safetensors.torch import save_file

        path = Path(path)
        states = [module.state_dict() for module in self.modules]
        tensors = {f"state/{name}": torch.stack([s[name] for s in states]) for name in states[0]}
        for step, snapshot in self.snapshots.items():
            tensors |= {f"snapshot/{step}/{name}": value for name, value in snapshot.items()}
        about = {"seconds": self.seconds, "device": self.device, "strategy": self.strategy}
        metadata = {"history": self.history.to_json(orient="table", double_precision=15), "about": json.dumps(about)}
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        # cloned: stacked views of one tensor share memory, which the format does not know
        save_file({name: t.detach().cpu().clone() for name, t in tensors.items()}, unfinished, metadata=metadata)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: str | Path, build: Callable[[], nn.Module]) -> "Run":
        """Read a run that :meth:`save` kept, onto the CPU.

        Args:
            path: the file.
            build: makes one network of the architecture that was trained.

        Raises:
            FileNotFoundError: no such file.
            ValueError: not a saved run, or one of another architecture.
        """
        import io

        import pandas as pd
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
        except SafetensorError as error:
            raise ValueError(f"{path} is not a saved run: {error}") from None
        if not {"history", "about"} <= metadata.keys():
            raise ValueError(f"{path} is not a saved run: it has no history")
        state = {name.removeprefix("state/"): t for name, t in tensors.items() if name.startswith("state/")}
        modules = [build() for _ in range(len(next(iter(state.values()))))]
        for i, module in enumerate(modules):
            own = {name: value[i] for name, value in state.items()}
            found, expected = (
                {name: tuple(value.shape) for name, value in s.items()} for s in (own, module.state_dict())
            )
            if found != expected:
                raise ValueError(f"{path} holds another architecture: {found}; build makes {expected}")
            module.to(next(iter(own.values())).dtype).load_state_dict(own)
        snapshots: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("snapshot/"):
                _, step, parameter = name.split("/", 2)
                snapshots.setdefault(int(step), {})[parameter] = value
        history = pd.read_json(io.StringIO(metadata["history"]), orient="table", precise_float=True)
        return cls(history, modules, dict(sorted(snapshots.items())), **json.loads(metadata["about"]))

    def __repr__(self) -> str:
        n_parameters = sum(p.numel() for p in self.modules[0].parameters())
        name, last = type(self.modules[0]).__name__, self.final
        scores = ", ".join(f"{c} {last[c].mean():.3f}" for c in last if c.startswith("test_"))
        steps = f"{int(last['step'].max())} steps"
        if stopped := int((last["step"] < last["step"].max()).sum()):
            steps += f" ({stopped} stopped before)"
        return (
            f"Run of {len(self.modules)} x {name} ({n_parameters:,} parameters each)\n"
            f"  {steps} in {self.seconds:.1f} s on {self.device}, strategy {self.strategy}\n"
            f"  mean over members: {scores}"
        )


def stack_parameters(modules: Sequence[nn.Module]) -> dict[str, Tensor]:
    """A copy of the parameters of all members, stacked, by name."""
    own = [dict(module.named_parameters()) for module in modules]
    return {name: torch.stack([p[name].detach() for p in own]) for name in own[0]}
