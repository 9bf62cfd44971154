"""What a script run by Studio needs to find its artifacts.

    from studio import fs_tracker
    fs_tracker.get_artifact('weights')
"""

from . import fs_tracker

__all__ = ['fs_tracker']
