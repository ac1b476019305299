"""The commands that are not Airbyte's, a module each: land, missing, report. They start quickly: no CDK is imported."""
