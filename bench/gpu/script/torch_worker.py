"""PyTorch's side of the measurements: python3 torch_worker.py JOB. Its lines are those of worker.ts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gpu_bench.torch_cases import main

if __name__ == "__main__":
    main(sys.argv[1])
