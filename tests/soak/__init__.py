"""Soaks: the bot for hours, in virtual or real time, and whether anything of it grows."""
