"""What a person at a terminal sees of a command: progress and readable errors, on stderr.

Nothing of it is imported where nobody watches: rich takes long to import.
"""
