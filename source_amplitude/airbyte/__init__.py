"""The only package that imports airbyte_cdk: the source, its streams, the launcher and the messages on stdout."""
