"""A running bot in a chat: who may speak to it, what it answers, what it tells by itself."""
