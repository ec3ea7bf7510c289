"""Load tests: a mock gateway and its verdict. They see the product through HTTP alone."""
