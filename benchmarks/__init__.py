"""The figures of the README, measured through the public interface.

One module per figure, each with `measure()`.
"""
