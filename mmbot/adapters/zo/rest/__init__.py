"""The venue's REST interface: transport, answers read exactly, outcomes of actions."""
