ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6
FROM ${BASE_IMAGE}

WORKDIR /airbyte/integration_code

# The lock names every package with its hash, so --no-deps; "make lock" refreshes it. A layer of its own, which a change
# of code leaves unchanged.
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY source_amplitude source_amplitude
COPY amplitude_emulator amplitude_emulator
RUN pip install --no-cache-dir --no-deps --no-index --no-build-isolation . \
    && test -x /usr/local/bin/source-amplitude

# The user of Airbyte's base image, which Airbyte's platform expects by name. A cluster that enforces runAsNonRoot also
# needs its number: runAsUser: 1000.
# hadolint ignore=DL3066
USER airbyte
# Both are equal and absolute, because Airbyte's platform changes the working directory.
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/source-amplitude"
ENTRYPOINT ["/usr/local/bin/source-amplitude"]
