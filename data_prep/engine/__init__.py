"""What the seven commands of data_prep share."""
