"""The engine: claims rows, looks at the world, takes one step, writes down when to look again."""
