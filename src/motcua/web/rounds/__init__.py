"""Đợt kiểm tra từ xa: the pages of rounds, from the plan to the last request."""
