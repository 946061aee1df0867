"""An exchange that speaks 01.xyz's protocol: accounts, matching, margin, history, streams."""
