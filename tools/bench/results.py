# SPDX-License-Identifier: Apache-2.0
"""What bench has measured: lines "QUESTION SUBJECT NUMBER", and comments"""

import sys


def load(path):
    """{(question, subject): number}"""
    results = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            question, subject, number = line.split()
            results[question, subject] = int(number)
    if not results:
        sys.exit(f"bench: there is nothing in {path}")
    return results
