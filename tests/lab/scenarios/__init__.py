"""The scenarios of the lab, one file each."""
