"""The leak channels of consent.md over the whole application: each with planted markers, searched for byte by byte."""
