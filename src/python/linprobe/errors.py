"""The library's statuses as exceptions.  Each is also the built-in one that fits."""


class Error(Exception):
    """A failure of the library; the text is its message."""


class ArgumentError(Error, ValueError):
    """Something was asked for that does not exist or does not fit."""


class InputOutputError(Error, OSError):
    """The system refused to open, read or write."""


class FormatError(Error, ValueError):
    """A file is not what its format demands."""


class Unsupported(Error, NotImplementedError):
    """A file is valid, but holds something that this version does not handle."""


class OutOfMemory(Error, MemoryError):
    """An allocation failed."""


class DataError(Error, ValueError):
    """Values that cannot be used: NaN, infinity, a label out of range."""


class Cancelled(Error):
    """The caller's progress function asked to stop; finished work is kept."""


# by lp_status (linprobe/status.h)
OK, CANCELLED, NOT_CONVERGED = 0, 7, 8
BY_STATUS = {1: ArgumentError, 2: InputOutputError, 3: FormatError, 4: Unsupported, 5: OutOfMemory, 6: DataError,
             CANCELLED: Cancelled}
