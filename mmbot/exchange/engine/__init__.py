"""What the exchange does: admission, orders, margin, settlement, funding, liquidation."""
