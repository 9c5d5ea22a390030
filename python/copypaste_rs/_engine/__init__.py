"""Engine of copy-paste around a kernel of either backend: checks, options, columns, output formats."""
