"""The tests of routecast; imported as a package so that they can share the fakes."""
