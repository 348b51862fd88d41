#!/usr/bin/env python3
"""Measures crobc and PyTorch on this machine's GPU: python3 run.py [--help]. Needs no network."""

import sys
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit(f"run.py needs Python 3.10 or newer, and this is {sys.version.split()[0]}")
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from gpu_bench.main import main

sys.exit(main(sys.argv[1:]))
