"""Processes of the product against each other, killed and stopped as processes are."""
