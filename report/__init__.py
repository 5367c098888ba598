"""The report: the experiments behind it, and the document made of their results. Start at `__main__.py`."""
