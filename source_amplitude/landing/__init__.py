"""Raw hours into an object store or a folder, one object a member and one manifest an hour. Knows no Airbyte."""
