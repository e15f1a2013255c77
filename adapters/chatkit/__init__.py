"""What every chat needs and none owns: tables in fixed type, work after an acknowledgement, what was heard before."""
