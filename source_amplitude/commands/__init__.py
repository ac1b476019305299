"""The commands that are not Airbyte's, a module each, and the options of those that are; no CDK, so they start fast."""
