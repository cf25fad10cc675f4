"""`parvis torture`: real servers, real faults, and a verdict that a seed reproduces."""
