"""Floor 6: the faces for people: the command line and the console."""
