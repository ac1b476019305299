"""Runs a hypothesis state machine. Short runs are deterministic and quick, for `make test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

_MANY = 100


def run_lives(machine: type[RuleBasedStateMachine], *, lives: int, steps: int, **attributes: object) -> None:
    """Run ``lives`` examples of a machine with class ``attributes``.

    Fewer than a hundred examples are deterministic and are not shrunk.
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
