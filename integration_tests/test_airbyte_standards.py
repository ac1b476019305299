"""Airbyte's standard tests, with the cases of acceptance-test-config.yml."""

from __future__ import annotations

import pytest
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from source_amplitude import SourceAmplitude

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]


@pytest.mark.usefixtures("connector_environment")
class TestSuiteSourceAmplitude(SourceTestSuiteBase):
    """Runs in this process; cases marked image_tests need a Docker engine."""

    connector_name = "source-amplitude"
    connector = SourceAmplitude
