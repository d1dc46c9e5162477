"""The change log from the command line: is it whole, what is it saying now, and a new epoch after a restore."""
