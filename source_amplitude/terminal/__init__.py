"""Progress and readable errors on stderr, if it is a terminal.

Rich is imported only when something is drawn or printed, since the import is slow.
"""
