"""Keys and sessions: from where they come and how they are kept."""
