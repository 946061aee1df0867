"""Bytes of the protocol: actions, receipts, signatures, exact scaling, error numbers."""
