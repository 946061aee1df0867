"""What a bot sends by itself to places outside: alerts to a webhook, a heartbeat to a watcher."""
