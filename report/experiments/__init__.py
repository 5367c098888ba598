"""The experiments of the report, one group a file; each is a list of training runs and perhaps some measurements.

In the order to read them: config (what one run is), pairs (its data), defects (the original's mistakes), runs (train
and evaluate), experiment; then the experiments: scale, postmortem, choices, noise, results; on photographs
(photographs: one run of them) restoring and course_unet; catalogue (all of them by name), store (their files) and
schedule (what runs when).
"""
