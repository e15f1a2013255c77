"""The house rules that no linter knows: directions, sizes, time, and what a test must say."""
