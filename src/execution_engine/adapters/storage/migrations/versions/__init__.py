"""One file per step, written out: a step must not change when the tables of today do."""
