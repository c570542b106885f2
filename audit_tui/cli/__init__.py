"""The commands: one module a family; composes the layers and owns stderr and exit codes."""
