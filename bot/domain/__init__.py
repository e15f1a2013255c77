"""Plain values and pure rules: no I/O, no clock, no chat's or vendor's words."""
