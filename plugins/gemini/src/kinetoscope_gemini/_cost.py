"""What speaking will cost, and what it has cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from kinetoscope_gemini._models import TOKENS_PER_SECOND, Model
from kinetoscope_gemini.errors import BudgetExceeded
from kinetoscope_spec import ValidationError

__all__ = ["Estimate", "Ledger", "estimated_tokens"]


@attrs.frozen
class Estimate:
    """What speaking a script will take, before anything is sent.

    Attributes:
        requests: those to be sent.
        cached: those whose answer is kept, which cost nothing.
        seconds: of speech, all of it.
        tokens_in, tokens_out: of the requests to be sent.
        usd: US dollars, or None where the model's price is not known. Real speech is within about a
            third of it: pace is the actor's.
    """

    requests: int
    cached: int
    seconds: float
    tokens_in: int
    tokens_out: int
    usd: float | None


def estimated_tokens(request: Mapping[str, Any], seconds: float) -> tuple[int, int]:
    """Return about how many tokens a request takes: in and out."""
    text = json.dumps(request["contents"], ensure_ascii=False)
    plain = sum(c.isascii() for c in text)
    return round(plain / 4 + (len(text) - plain) / 1.5) + 1, round(seconds * TOKENS_PER_SECOND) + 1


class Ledger:
    """The account of one call: what was spent, and what is promised to requests under way."""

    def __init__(self, model: Model, budget_usd: float | None) -> None:
        if budget_usd is not None and model.usd(1, 1) is None:
            raise ValidationError(
                f"the price of {model.id} is not known, so a budget of {budget_usd} USD can't be kept"
            )
        self._model, self._budget = model, budget_usd
        self._promised: dict[int, float] = {}
        self.tokens_in = self.tokens_out = self.requests = self.retries = self.cached = 0

    @property
    def usd(self) -> float | None:
        """US dollars spent so far, by the tokens that answers told."""
        return self._model.usd(self.tokens_in, self.tokens_out)

    def promise(self, index: int, estimate: Callable[[], tuple[int, int]]) -> None:
        """Set aside what a request will take; without a budget it is not even estimated.

        Raises:
            BudgetExceeded: it is more than what is left of the budget.
        """
        price = None if self._budget is None else self._model.usd(*estimate())
        if self._budget is not None and price is not None:
            others = sum(held for other, held in self._promised.items() if other != index)
            spent = self.usd or 0.0
            if spent + others + price > self._budget:
                raise BudgetExceeded(
                    f"speaking on would cost about {spent + others + price:.4f} USD, the budget is "
                    f"{self._budget:g} USD; {spent:.4f} USD are spent"
                )
            self._promised[index] = price

    def spend(self, index: int, tokens: tuple[int, int]) -> None:
        """Note what an answer told of its tokens."""
        self._promised.pop(index, None)
        self.tokens_in += tokens[0]
        self.tokens_out += tokens[1]

    def told(self) -> dict[str, Any]:
        """Return the account as JSON values."""
        usd = self.usd
        return {
            "requests": self.requests,
            "retries": self.retries,
            "cached": self.cached,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "usd": None if usd is None else round(usd, 6),
        }
