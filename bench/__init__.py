"""Measures Frontdesk: ratios within one run, beside floors and controls of the same run on the same cores."""
