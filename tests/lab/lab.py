#!/usr/bin/env python3
"""Starts the lab: SPIRE in high availability with its sidecars, on this machine alone."""

import sys

from spirelab.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
