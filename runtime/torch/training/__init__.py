"""Training of a generated model, the same files for every model; ../train.py runs them."""
