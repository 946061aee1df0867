"""Several strategies on the same markets: what each made of them, and what of it is no chance."""
