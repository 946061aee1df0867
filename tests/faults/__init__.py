"""Every fault of the catalogue (reliability 1) that can be injected in one process, by its id."""
