"""The doctor: looks at everything an office needs of its machine, and says how to mend what is wrong."""
