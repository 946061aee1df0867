"""How the exchange is served: time, background markets, sockets, HTTP, the journal."""
