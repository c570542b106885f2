"""The words and files about seals that commands write."""
