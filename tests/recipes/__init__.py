"""Recipes through the doors that users use: their programs, their logs and their files."""
