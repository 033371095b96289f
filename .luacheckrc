-- Services run in a sandbox: only these parts of the standard library are there.
std = "lua54"
max_line_length = 110
not_globals = { "os", "io", "package", "debug", "require", "load", "loadfile", "dofile" }
