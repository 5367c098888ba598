"""Which submissions of a class share more code than the handout explains: read, never run.

What is compared is copydetect's: every name and every string is one character, comments and layout are none, and what
two sources share are runs of 25 of these characters, wherever they stand; runs of the handout's skeleton are left
out. Measured on the 20 correct submissions of the tests, written independently of each other, and on copies of them
(every name of their own changed; classes, methods and functions moved; no comments and docstrings; all in one file):

- independent pairs share at most 33 % (textbook and late_module), 97 of 100 pairs less than 25 %;
- copies at least 72 %; 69 % if besides every argument is annotated, every `x += y` is written out, and another
  statement is put in after every fourth (and then no others more than 38 %).

The threshold of 50 % lies between them. Above it a person has to look: that two are alike does not say who wrote it.
"""
