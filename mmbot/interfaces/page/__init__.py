"""The status page: plain files for a browser, see interfaces.api."""
