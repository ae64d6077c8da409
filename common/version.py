"""The installed version of routecast."""

from importlib.metadata import version

VERSION = version("routecast")
