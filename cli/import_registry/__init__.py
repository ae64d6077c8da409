"""`routecast import`: `import` alone is a word of the language."""
