"""The venue's streams: order books and the account kept in step."""
