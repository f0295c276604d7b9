"""The user's own token budget: checked before each run, charged with what the run used."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from assistants_tui.protocol.objects import Usage
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import RunSettings
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.state import AppState, load_state, update_state


@dataclass(frozen=True)
class BudgetCheck:
    """The outcome of a check. `balance` is None where the user keeps no budget."""

    ok: bool
    balance: int | None
    required: int


class TokenBudget:
    """What is left of `runs.token_balance` of one profile. The tokens used so far stand in state.toml.

    `validated` is told of every check before its run is sent, `consumed` of the usage of every run that has
    ended.
    """

    def __init__(
        self,
        settings: RunSettings,
        state_file: Path,
        profile: str,
        *,
        validated: Callable[[BudgetCheck], None] = lambda check: None,
        consumed: Callable[[Usage], None] = lambda usage: None,
    ) -> None:
        self._settings = settings
        self._state_file = state_file
        self._profile = profile
        self._validated = validated
        self._consumed = consumed

    async def balance(self) -> int | None:
        """Tokens that are left, less than nothing after an overdraft; None without a budget."""
        if self._settings.token_balance is None:
            return None
        state = await asyncio.to_thread(load_state, self._state_file)
        return self._settings.token_balance - state.profile(self._profile).tokens_used

    async def check(self) -> BudgetCheck:
        """Raise `ServiceError` if the balance is spent, or below `runs.min_tokens_per_request`."""
        check = await self._look()
        self._validated(check)
        if not check.ok:
            raise _refusal(check)
        return check

    async def require(self) -> None:
        """Raise as `check`, for what is sent before the run; `validated` is told of a refusal only.

        When all is well, the run's own check follows.
        """
        check = await self._look()
        if not check.ok:
            self._validated(check)
            raise _refusal(check)

    async def _look(self) -> BudgetCheck:
        balance, required = await self.balance(), self._settings.min_tokens_per_request
        return BudgetCheck(balance is None or balance >= max(required, 1), balance, required)

    async def consume(self, usage: Usage | None) -> None:
        """Charge what a run has used."""
        if usage is None:
            return
        self._consumed(usage)
        if self._settings.token_balance is None:
            return

        def charge(state: AppState) -> AppState:
            profile = state.profile(self._profile)
            used = profile.tokens_used + usage["total_tokens"]
            return state.with_profile(self._profile, replace(profile, tokens_used=used))

        try:
            await asyncio.to_thread(update_state, self._state_file, charge)
        except SettingsError as error:
            raise ServiceError(
                "The tokens of the last run could not be counted.", str(error), kind="settings"
            ) from error


def _refusal(check: BudgetCheck) -> ServiceError:
    return ServiceError(
        f"The token balance is {check.balance:,}, and a run needs at least {max(check.required, 1):,}.",
        "Raise `token_balance` in config.toml, or remove it.",
        kind="budget",
        no_effect=True,
    )
