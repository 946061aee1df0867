"""The lease of an active/standby pair: which of two bots may trade an account (reliability 5.5)."""
