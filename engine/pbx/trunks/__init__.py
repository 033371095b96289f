"""Outside lines: their registration and servers, their limits, and the calls over them."""
