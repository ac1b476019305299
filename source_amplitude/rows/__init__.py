"""Decoded answers of Amplitude's REST APIs to rows; pure.

A shape that is not described is an UnknownShapeError, never no rows.
"""
