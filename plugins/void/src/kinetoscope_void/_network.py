"""The networks of the published folder, and where they are kept while they are not at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch

from kinetoscope_spec import FormatError, ProviderUnavailable, ValidationError
from kinetoscope_void._settings import Settings
from kinetoscope_void._weights import BASE, find_folder, read_transformer, transformer_config

__all__ = ["Network"]


class Network:
    """CogVideoX's text encoder, autoencoder and schedulers, and VOID's transformers.

    All are read from the disk when they are first needed. `full` keeps what was read on the device;
    `model-offload` and `float8` have one network there at a time; `sequential-offload` one layer.

    Attributes:
        device, kind: where numbers are worked on, and their type: bfloat16, and float32 on a CPU.
        folder: of the weights.
        adds_noise: whether the film's pixels get a little noise before they are encoded.
        config: of the transformers.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Read the configuration alone."""
        self.folder, self._settings = folder, settings
        self.device = _device(settings.device)
        self.kind = torch.float32 if self.device.type == "cpu" else torch.bfloat16
        self.config, self.adds_noise = transformer_config(folder)
        self._held: dict[str, Any] = {}

    @classmethod
    def find(cls, settings: Settings) -> Self:
        """Find the folder of the weights; raises `ProviderUnavailable` if something is not there."""
        return cls(find_folder(settings.folder, settings.passes), settings)

    def scheduler(self, number: int) -> Any:
        """Return the scheduler of pass 1 or 2, as each was published with."""
        import diffusers

        kind: Any = diffusers.DDIMScheduler if number == 1 else diffusers.CogVideoXDDIMScheduler
        return _read(
            lambda: kind.from_pretrained(self._base("scheduler"), local_files_only=True), "scheduler"
        )

    @contextmanager
    def vae(self) -> Iterator[Any]:
        """Yield the autoencoder, on the device."""
        with self._at_work("vae") as network:
            yield network

    @contextmanager
    def transformer(self, number: int) -> Iterator[Any]:
        """Yield the transformer of pass 1 or 2, on the device; unless all are kept, only one is in memory."""
        name = f"void_pass{number}"
        if self._settings.memory != "full":
            for other in [key for key in self._held if key.startswith("void_") and key != name]:
                del self._held[other]
        with self._at_work(name) as network:
            yield network

    def text(self, prompt: str) -> torch.Tensor:
        """Return `[1, N, D]` what the transformer is told of a prompt, padded to its full length."""
        from transformers import T5Tokenizer

        tokenizer = _read(
            lambda: T5Tokenizer.from_pretrained(self._base("tokenizer"), local_files_only=True), "tokenizer"
        )
        longest = self.config.get("max_text_seq_length", 226)
        numbers = tokenizer(
            prompt, padding="max_length", max_length=longest, truncation=True, return_tensors="pt"
        ).input_ids
        with self._at_work("text_encoder") as network:
            return network(numbers.to(self.device))[0].to(self.kind)  # type: ignore[no-any-return]

    @contextmanager
    def _at_work(self, name: str) -> Iterator[Any]:
        network = self._held.get(name)
        if network is None:
            network = self._held[name] = self._placed(self._load(name))
        swapped = self._settings.memory in ("model-offload", "float8") and self.device.type != "cpu"
        if not swapped:
            yield network
            return
        network.to(self.device)
        try:
            yield network
        finally:
            network.to("cpu")
            torch.cuda.empty_cache()

    def _placed(self, network: Any) -> Any:
        """Put a network where the memory mode has it between its uses."""
        if self._settings.memory == "full":
            return network.to(self.device)
        if self._settings.memory == "sequential-offload":
            from accelerate import cpu_offload

            cpu_offload(network, execution_device=self.device, offload_buffers=True)
        return network

    def _load(self, name: str) -> Any:
        if name.startswith("void_"):
            network = read_transformer(self.folder / f"{name}.safetensors", self.config, self.kind)
            if self._settings.memory == "float8":
                network.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=self.kind)
            return network
        from diffusers import AutoencoderKLCogVideoX
        from transformers import T5EncoderModel

        kind: Any = AutoencoderKLCogVideoX if name == "vae" else T5EncoderModel
        typed = {"torch_dtype" if name == "vae" else "dtype": self.kind}
        network, report = _read(
            lambda: kind.from_pretrained(
                self._base(name),
                local_files_only=True,
                use_safetensors=True,  # pickles are never read
                output_loading_info=True,
                **typed,
            ),
            name,
        )
        missing = sorted(report["missing_keys"]) + sorted(report.get("mismatched_keys", ()))
        if missing:
            raise FormatError(
                f"{len(missing)} tensors are missing or of another shape: {missing[0]}", path=self._base(name)
            )
        return network.eval().requires_grad_(False)

    def _base(self, name: str) -> Path:
        return self.folder / BASE / name


def _read(read: Any, name: str) -> Any:
    """Read a part of the base folder.

    Raises:
        ProviderUnavailable: it is not as it was published.
    """
    try:
        return read()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ProviderUnavailable(f"VOID's {BASE}/{name} can't be read: {error}") from error


def _device(name: str) -> torch.device:
    """Return the device; `auto` is the GPU of this process where there is one."""
    if name == "auto":
        if not torch.cuda.is_available():
            return torch.device("cpu")
        from accelerate import PartialState

        return torch.device(PartialState().device)
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValidationError(f"void: device is {name!r}, expected auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ProviderUnavailable(f"VOID is to run on {name}, and this machine has no CUDA device")
    return device
