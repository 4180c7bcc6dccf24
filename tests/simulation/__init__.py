"""Thousands of hours of trading in minutes: the real engine on a virtual clock, with everything going wrong."""
