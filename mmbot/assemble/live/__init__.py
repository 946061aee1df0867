"""Assembling a live bot: to trade for real, on paper, or to look on. No other module knows which.

What differs is the venue. Everything that lies outside the process comes in by World, so that a
simulation starts this very bot.
"""

from mmbot.assemble.live.bot import LiveBot, live_bot
from mmbot.assemble.live.world import LiveOptions, RunMode, World, real_world

__all__ = ["LiveBot", "LiveOptions", "RunMode", "World", "live_bot", "real_world"]
