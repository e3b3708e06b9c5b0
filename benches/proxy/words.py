"""Reading of lists of names on command lines."""

import argparse


def words(known):
    """Returns a reader of a list of names, all of which must be known."""

    def read(text):
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")
        return names

    return read
