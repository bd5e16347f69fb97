# SPDX-License-Identifier: ISC
"""What the end-to-end tests share: a server, raw dialogues, test mail."""
