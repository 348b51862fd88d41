"""What run.py consists of. Only the standard library, except in torch_*.py, which are programs of their own."""
