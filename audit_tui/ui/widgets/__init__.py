"""The parts that screens are made of; they ask for data by message and never own it."""
