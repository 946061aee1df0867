"""The ways to get orders off that depend on nothing else."""
