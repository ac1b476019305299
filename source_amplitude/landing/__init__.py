"""Copy exported hours to an object store or a folder: one object per member, one manifest per hour.

Independent of Airbyte.
"""
