"""What tests stand on: fakes, builders, hosts. Waiting for the real world is allowed here and nowhere else."""
