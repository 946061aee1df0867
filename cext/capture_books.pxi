# Books kept while reading: the state at the start of a window, and how often a book is crossed.
