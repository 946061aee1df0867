"""What the exchange runs on: time, the background market, inputs, journal, sockets."""
