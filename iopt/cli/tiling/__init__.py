"""`iopt tile`: a network within a memory limit on one device."""
