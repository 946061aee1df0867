"""How the exchange is served: the turn, HTTP, streams, the control paths."""
