ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6
FROM ${BASE_IMAGE}

WORKDIR /airbyte/integration_code

# The dependencies are a layer of their own, which a change of code leaves alone: packages without code bring them in.
COPY pyproject.toml README.md LICENSE ./
RUN mkdir source_amplitude amplitude_emulator \
    && touch source_amplitude/__init__.py amplitude_emulator/__init__.py \
    && pip install --no-cache-dir .

COPY source_amplitude source_amplitude
COPY amplitude_emulator amplitude_emulator
RUN pip install --no-cache-dir --no-deps --force-reinstall . \
    && test -x /usr/local/bin/source-amplitude

# The user that Airbyte's base image makes and Airbyte's platform expects, by name. A cluster that itself demands
# runAsNonRoot needs its number as well: runAsUser: 1000.
# hadolint ignore=DL3066
USER airbyte
# Both alike and absolute, since Airbyte's platform changes the working directory.
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/source-amplitude"
ENTRYPOINT ["/usr/local/bin/source-amplitude"]
