# Rows to and from other layouts: the 64-byte rows of an events file, the packed columns of a tape.
