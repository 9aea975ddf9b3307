"""The benchmarks themselves; never what they measure."""
