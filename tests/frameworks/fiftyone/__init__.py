"""The integration of FiftyOne, tried against its labels; no data base is needed."""
