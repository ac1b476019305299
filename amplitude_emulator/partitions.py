"""The partition of a user's events: the number after ``#`` in a member's name."""

from __future__ import annotations

import random

PARTITIONS_OF_A_PROJECT = 6
HIGHEST_PARTITION = 999


def partitions_of_project(seed: int, project_id: int) -> tuple[int, ...]:
    """Return a project's partition numbers, the same in all hours.

    They have gaps and are not a page index, as observed with 627 and 70 (reference 1.5). Their count, and
    that a user stays in one partition, are inferred (6.8).
    """
    numbers = random.Random(f"partitions/{seed}/{project_id}").sample(range(HIGHEST_PARTITION), PARTITIONS_OF_A_PROJECT)
    return tuple(sorted(numbers))


def partition_of(amplitude_id: int, partitions: tuple[int, ...]) -> int:
    """Return a user's partition. Multiplying spreads consecutive ids (Knuth's multiplicative hash)."""
    return partitions[(amplitude_id * 2654435761 >> 16) % len(partitions)]
