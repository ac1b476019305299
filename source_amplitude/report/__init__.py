"""Reports on a store's coverage: an HTML page and a grid for the terminal."""
