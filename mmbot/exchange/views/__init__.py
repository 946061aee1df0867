"""What the exchange shows: answers to every GET and the messages of its streams."""
