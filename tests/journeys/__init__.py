"""Whole journeys: real processes, a real machine of this computer, the raw command in and a closed tab out."""
