"""A trained network as the host sees it."""
from __future__ import annotations
from pathlib import Path
from typing import Any
import attrs, numpy as np, torch
from kinetoscope_spec import FeatureSchema
from kinetoscope_spec.errors import ValidationError
from kinetoscope_codebook.network import *

@attrs.frozen(eq=False, kw_only=True)
class FittedNetwork:
    network: Network
    input_schema: FeatureSchema
    output_schema: FeatureSchema
    losses: list
    perplexity: float | None
    metadata: dict
    training: dict
    @torch.no_grad()
    def predict(self, inputs, *, seed=None):
        x=torch.from_numpy(np.array(inputs,np.float32))
        noise=None
        if seed is not None and isinstance(self.network, MatchingNetwork):
            from kinetoscope_codebook.model import _gumbel
            a=self.network.architecture
            g=torch.Generator().manual_seed(seed)
            noise=_gumbel(torch.empty(len(x),a.channels,a.classes),g)
            return self.network(x,noise).numpy()
        return self.network(x).numpy()
def load(path): raise NotImplementedError
