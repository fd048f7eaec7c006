"""Every figure: grids of faces, curves, interpolations, traversals, eigenfaces, the figures of the papers."""
