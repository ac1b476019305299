"""Convert decoded responses of Amplitude's REST APIs to rows, without I/O.

An unknown shape always raises an UnknownShapeError; it never means 'no rows'.
"""
