"""The one door for every face: commands in, immutable views and events out."""
