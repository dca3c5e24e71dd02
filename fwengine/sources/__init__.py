"""What is read from where: files, standard input, git revisions, includes; and writing back safely."""
