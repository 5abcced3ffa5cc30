"""How the model that comes with the package is made: an endless supply of tasks, and what learns from them."""
