"""Text of the benchmarks' pages."""
import textwrap


def wrap(lines):
    """Lines of prose at most 100 columns wide; rows of tables stay as they are."""
    out = []
    for line in lines:
        indent = "  " if line.startswith("- ") else ""
        table = line.startswith("|") or not line
        out += [line] if table else textwrap.wrap(line, 100, subsequent_indent=indent)
    return out
