"""How strong the simulation is: classic mistakes put back into the source, one at a time, and found again."""
