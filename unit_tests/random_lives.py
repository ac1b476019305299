"""Runs a hypothesis machine for some lives: the same each time where there are few, so that `make test` ends soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

_MANY = 100


def run_lives(machine: type[RuleBasedStateMachine], *, lives: int, steps: int, **attributes: object) -> None:
    """Run a machine that has ``attributes`` from its birth on, as its class's own.

    Fewer than a hundred lives are always the same ones, and a failing one is not made shorter.
    """
    run_state_machine_as_test(
        type("Lives", (machine,), attributes),
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            derandomize=lives < _MANY,
            phases=[Phase.generate] if lives < _MANY else list(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )
