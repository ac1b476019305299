"""Which partition a user's events go to: the number behind ``#`` in a member's name."""

from __future__ import annotations

import random

PARTITIONS_OF_A_PROJECT = 6
HIGHEST_PARTITION = 999


def partitions_of_project(seed: int, project_id: int) -> tuple[int, ...]:
    """Return the partition numbers that recur in all hours of a project.

    They have gaps and are no page index, as observed with 627 and 70 (reference 1.5); how many there
    are and that one user stays in one is inferred (6.8).
    """
    numbers = random.Random(f"partitions/{seed}/{project_id}").sample(range(HIGHEST_PARTITION), PARTITIONS_OF_A_PROJECT)
    return tuple(sorted(numbers))


def partition_of(amplitude_id: int, partitions: tuple[int, ...]) -> int:
    """Return a user's partition. Multiplying spreads consecutive ids (Knuth's multiplicative hash)."""
    return partitions[(amplitude_id * 2654435761 >> 16) % len(partitions)]
